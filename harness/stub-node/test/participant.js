/** A service stub whose code does everything that may go wrong. */

import { Stub } from '../src/index.js';

const VALUES = new Map(
  /** @type {[string, () => unknown][]} */ ([
    ['too deep', () => nested(201)],
    ['deep enough', () => nested(200)],
    ['function', () => ({ inside: () => 1 })],
    ['getter', () => Object.defineProperty({}, 'broken', { enumerable: true, get: () => fail('a getter failed') })],
  ]),
);

/** @param {string} message @returns {never} */
function fail(message) {
  throw new Error(message);
}

/** @param {number} levels */
function nested(levels) {
  /** @type {unknown} */
  let value = null;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}

/** @param {Uint8Array} payload */
const textOf = (payload) => Buffer.from(payload).toString();

/** @param {Uint8Array} payload */
function decode(payload) {
  const text = textOf(payload);
  console.log(`decoding ${text}`);
  process.stdout.write('without a line end');
  return JSON.parse(text);
}

const stub = new Stub({ runtime: 'json', version: '1' });
stub.json('test.Echo', { decode, encode: (value) => JSON.stringify(value) });
stub.json('test.Quiet', {
  decode: (payload) => JSON.parse(textOf(payload)),
  encode: (value) => Buffer.from(JSON.stringify(value)),
});
stub.json('test.Later', {
  decode: async (payload) => JSON.parse(textOf(payload)),
  encode: async (value) => (value.refuse ? fail('not written') : JSON.stringify(value)),
  lane: 'promises',
});
stub.json('test.Value', { decode: (payload) => VALUES.get(textOf(payload))?.() });
stub.json('test.BadEncoder', {
  decode: textOf,
  encode: (name) => /** @type {any} */ (name === 'bytes' ? Uint8Array.of(0xff) : name === 'null' ? null : fail('no')),
});
stub.json('test.Exit', { decode: () => process.exit(7) });
stub.json('test.Throws', {
  decode: () => {
    throw null;
  },
});
stub.protobuf('test.Echo', { encode: (value) => Buffer.from(`${value}`) });
await stub.run();
