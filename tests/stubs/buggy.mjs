/** Node's runtime stub with one planted bug: `node buggy.mjs BUG`. Negative controls for the probe. */

import { RuntimeCodecs } from '../../harness/stub-node/src/runtime/codecs.js';
import { protobufEs } from '../../harness/stub-node/src/runtime/protobuf-es.js';
import { serveProcess } from '../../harness/stub-node/src/serving.js';

const EXPLICIT_PRESENCE = 1;
const LARGEST_INT64 = 2n ** 63n - 1025n;
const MAX_FRAME_BYTES = 1 << 26;

/** Each takes a decoder of the sound stub, and the descriptor of its message. */
const BUGS = {
  /** Turns null into "". */
  null_as_empty: (decode) => (payload, request) =>
    decode(payload[0] === 0x7b ? withoutNulls(payload) : payload, request),

  /** Forgets that a field was set when it was set to zero. */
  zero_dropped: (decode, desc) => (payload, request) => {
    const message = decode(payload, request);
    for (const { localName, presence } of desc.fields)
      if (presence === EXPLICIT_PRESENCE && [0, 0n, false, ''].includes(message[localName])) delete message[localName];
    return message;
  },

  /** Reads a large integer as a double does. */
  int64_rounded: (decode, desc) => (payload, request) => {
    const message = decode(payload, request);
    for (const { localName } of desc.fields)
      if (typeof message[localName] === 'bigint') {
        const rounded = BigInt(Number(message[localName]));
        message[localName] = rounded > LARGEST_INT64 ? LARGEST_INT64 : rounded;
      }
    return message;
  },

  /** Keeps nothing of the fields that it does not know. */
  unknown_lost: (decode) => (payload, request) => {
    const message = decode(payload, request);
    delete message.$unknown;
    return message;
  },

  /** Reads what must be refused as an empty message. */
  everything_accepted: (decode, _desc, kind) => (payload, request) => {
    try {
      return decode(payload, request);
    } catch {
      return decode(Buffer.from(kind === 'protobuf_payload' ? '' : '{}'), request);
    }
  },

  /** Reads the keys of an object only as long as they come in alphabetical order. */
  first_key_only: (decode) => (payload, request) => {
    const keys = keysOf(payload);
    if (keys.length < 2 || keys.every((key, index) => index === 0 || keys[index - 1] <= key))
      return decode(payload, request);
    const [first] = Object.entries(JSON.parse(payload.toString()));
    return decode(Buffer.from(JSON.stringify(Object.fromEntries([first]))), request);
  },
};

/** @param {Buffer} payload */
const withoutNulls = (payload) => Buffer.from(payload.toString('latin1').replaceAll(':null', ':""'), 'latin1');

/** The keys of a JSON object; none of anything else. */
function keysOf(payload) {
  try {
    const document = JSON.parse(payload.toString());
    return document !== null && typeof document === 'object' && !Array.isArray(document) ? Object.keys(document) : [];
  } catch {
    return [];
  }
}

const plant = BUGS[process.argv[2]];
const lane = {
  ...protobufEs,
  compile: (schema) => {
    const make = protobufEs.compile(schema);
    return (desc) => {
      const codec = make(desc);
      const decoders = Object.entries(codec.decoders).map(([kind, decode]) => [kind, plant(decode, desc, kind)]);
      return { ...codec, decoders: Object.fromEntries(decoders) };
    };
  },
};

await serveProcess(new RuntimeCodecs([lane]), MAX_FRAME_BYTES);
