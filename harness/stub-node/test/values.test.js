import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fromBinary } from '@bufbuild/protobuf';

import { ObservationSchema } from '../gen/counterfoil/stub/v1/stub_pb.js';
import { TooDeep } from '../src/observation.js';
import { Unobservable, writeValue } from '../src/values.js';
import { Writer } from '../src/writer.js';
import { plain } from './observations.js';

/** @param {unknown} value */
function observed(value) {
  const writer = new Writer();
  const start = writer.beginFrame();
  writeValue(writer, value);
  writer.endFrame(start);
  return plain(fromBinary(ObservationSchema, writer.takeFrames().subarray(4)));
}

const FLOATS = /** @type {const} */ ([
  [0, 0n],
  [-0, 0x8000000000000000n],
  [1.5, 0x3ff8000000000000n],
  [Number.NaN, 0x7ff8000000000000n],
  [new Float64Array(Uint8Array.of(1, 0, 0, 0, 0, 0, 0xf8, 0xff).buffer)[0], 0x7ff8000000000000n],
  [Number.POSITIVE_INFINITY, 0x7ff0000000000000n],
  [5e-324, 1n],
]);

test('absence, null, undefined and emptiness are told apart', () => {
  assert.deepEqual(observed(undefined), ['undefined', true]);
  assert.deepEqual(observed(null), ['null', true]);
  assert.deepEqual(observed(''), ['text', '']);
  assert.deepEqual(observed([]), ['list', []]);
  assert.deepEqual(observed({}), ['message', {}]);
  assert.deepEqual(observed(new Map()), ['map', []]);
  assert.deepEqual(observed(new Uint8Array()), ['binary', '']);
  assert.deepEqual(observed({ a: undefined, b: null }), ['message', { a: ['undefined', true], b: ['null', true] }]);
  assert.deepEqual(observed([, undefined]), [
    'list',
    [
      ['absent', true],
      ['undefined', true],
    ],
  ]);
});

test('numbers keep their bits, and integers their digits', () => {
  for (const [value, bits] of FLOATS) assert.deepEqual(observed(value), ['floatBits', bits]);
  for (const value of [0n, -1n, 2n ** 53n + 1n, -(2n ** 63n), 10n ** 100n]) {
    assert.deepEqual(observed(value), ['integer', `${value}`]);
  }
  assert.deepEqual(observed(true), ['boolean', true]);
  assert.deepEqual(observed(false), ['boolean', false]);
});

test('text keeps lone surrogates', () => {
  assert.deepEqual(observed('größe 😀'), ['text', Buffer.from('größe 😀').toString('latin1')]);
  assert.deepEqual(observed('a\ud800b'), ['text', 'a\xed\xa0\x80b']);
  assert.deepEqual(observed('\udfff😀'), ['text', `\xed\xbf\xbf${Buffer.from('😀').toString('latin1')}`]);
  assert.deepEqual(observed({ '\ud800': 1n }), ['message', { '\ufffd': ['integer', '1'] }]);
  const long = 'x'.repeat(100_000);
  assert.deepEqual(observed(long), ['text', long]);
});

test('collections and dates are what they hold', () => {
  assert.deepEqual(
    observed(
      new Map([
        ['b', 1n],
        ['a', 2n],
      ]),
    ),
    [
      'map',
      [
        [
          ['text', 'b'],
          ['integer', '1'],
        ],
        [
          ['text', 'a'],
          ['integer', '2'],
        ],
      ],
    ],
  );
  assert.deepEqual(observed(new Set(['x'])), ['list', [['text', 'x']]]);
  assert.deepEqual(observed(Uint8Array.of(0, 255)), ['binary', '\x00\xff']);
  assert.deepEqual(observed(Buffer.from('ab').subarray(1)), ['binary', 'b']);
  assert.deepEqual(observed(new DataView(Uint8Array.of(1, 2).buffer, 1)), ['binary', '\x02']);
  assert.deepEqual(observed(Uint8Array.of(3).buffer), ['binary', '\x03']);
  assert.deepEqual(observed(BigInt64Array.of(-1n)), ['list', [['integer', '-1']]]);
  assert.deepEqual(observed(new Date(0)), ['text', '1970-01-01T00:00:00.000Z']);
  assert.deepEqual(observed(new Date(Number.NaN)), ['text', 'Invalid Date']);
  assert.deepEqual(observed(Object(1n)), ['integer', '1']);
});

test('an object is its own enumerable properties, in their order', () => {
  class Profile {
    /** @param {string} name */
    constructor(name) {
      this.name = name;
      Object.defineProperty(this, 'hidden', { value: 1 });
    }

    get shout() {
      return this.name.toUpperCase();
    }
  }
  assert.deepEqual(observed(new Profile('x')), ['message', { name: ['text', 'x'] }]);
  const [, fields] = observed({ b: true, a: false });
  assert.deepEqual(Object.keys(/** @type {object} */ (fields)), ['b', 'a']);
  assert.deepEqual(observed(JSON.parse('{"__proto__": true}')), [
    'message',
    JSON.parse('{"__proto__": ["boolean", true]}'),
  ]);
});

test('what is no data, or has no end, is refused', () => {
  for (const value of [() => 1, Symbol('x'), { inside: [Math.max] }]) {
    assert.throws(() => observed(value), Unobservable);
  }
  /** @type {{ self?: unknown }} */
  const cycle = {};
  cycle.self = cycle;
  assert.throws(() => observed(cycle), TooDeep);
});
