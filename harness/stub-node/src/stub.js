/** The SDK for service stubs: a participant registers its decoders and encoders. */

import { parseArgs } from 'node:util';

import { Unsupported, reasonOf } from './answers.js';
import { WireFormat } from './protocol.js';
import { OPTIONS, complain, parseMaxFrameBytes, serveProcess } from './serving.js';
import { writeValue } from './values.js';

/**
 * How a participant reads and writes a message; either may be missing, and either may return a promise. What `decode`
 * throws is why it refuses the payload.
 *
 * @typedef {object} Implementation
 * @property {(payload: Uint8Array) => unknown} [decode] takes bytes as they come from a socket
 * @property {(value: any) => string | Uint8Array | Promise<string | Uint8Array>} [encode] takes what a decoder of the
 *   same message and lane returned
 * @property {string} [lane]
 */

/**
 * @typedef {import('./answers.js').Codec} Codec
 * @typedef {import('./answers.js').Codecs} Codecs
 */

/**
 * A stub around a participant's own code.
 *
 * `runtime` and `version` say what that code reads messages with, for example "zod" and "4.6.7". Messages are named by
 * the full protobuf name of what the payload corresponds to. Where the code reads a message in more than one way, each
 * is a lane: the first that is registered is the default; without a name it is called like the runtime.
 */
export class Stub {
  #lane;
  #codecs;

  /** @param {{ runtime: string, version: string, language?: string }} about */
  constructor({ runtime, version, language = 'javascript' }) {
    this.#lane = runtime;
    this.#codecs = new RegisteredCodecs({ language, runtime, runtimeVersion: version });
  }

  /**
   * Register how a message is read from JSON and written as JSON.
   *
   * @param {string} messageName
   * @param {Implementation} implementation
   */
  json(messageName, { decode, encode, lane = this.#lane }) {
    this.#codecs.register(WireFormat.JSON, messageName, { decode, encode, lane });
  }

  /**
   * Register how a message is read from protobuf's binary format and written in it.
   *
   * @param {string} messageName
   * @param {Implementation} implementation
   */
  protobuf(messageName, { decode, encode, lane = this.#lane }) {
    this.#codecs.register(WireFormat.PROTOBUF, messageName, { decode, encode, lane });
  }

  /**
   * Answer requests on stdin until it ends, then end the process.
   *
   * From here on stdout belongs to the answers: what else is printed there goes to stderr.
   *
   * @param {string[]} [args] the program's own unless given
   * @returns {Promise<never>}
   */
  async run(args = process.argv.slice(2)) {
    let maxFrameBytes;
    try {
      maxFrameBytes = parseMaxFrameBytes(parseArgs({ args, options: OPTIONS }).values['max-frame-bytes']);
    } catch (error) {
      complain(reasonOf(error));
      process.exit(2);
    }
    return serveProcess(this.#codecs, maxFrameBytes);
  }
}

/**
 * @typedef {{ decode: Implementation['decode'], encode: Implementation['encode'], lane: string }} Registration
 */

/** @implements {Codecs} */
class RegisteredCodecs {
  #about;
  /** @type {Map<string, Map<string, Codec>>} by lane, then by message */
  #codecs = new Map();
  /** @type {Set<string>} what was registered already */
  #registered = new Set();
  /** @type {Set<number>} */
  #formats = new Set();

  /** @param {{ language: string, runtime: string, runtimeVersion: string }} about */
  constructor(about) {
    this.#about = about;
  }

  /**
   * @param {1 | 2} format
   * @param {string} messageName
   * @param {Registration} registration
   */
  register(format, messageName, { decode, encode, lane }) {
    const key = JSON.stringify([lane, messageName, format]);
    if (this.#registered.has(key)) throw new Error(`${messageName} is registered twice for one format in lane ${lane}`);
    this.#registered.add(key);
    this.#formats.add(format);
    const messages = this.#codecs.get(lane) ?? new Map();
    /** @type {Codec} */
    const codec = messages.get(messageName) ?? { decoders: {}, encoders: {}, observe: writeValue };
    if (decode !== undefined && format === WireFormat.JSON) {
      codec.decoders.json_payload = (payload) => decode(payload);
      codec.decoders.raw_json_payload = (payload) => decode(payload);
    } else if (decode !== undefined) codec.decoders.protobuf_payload = (payload) => decode(payload);
    if (encode !== undefined) codec.encoders[format] = (value) => encode(value);
    this.#codecs.set(lane, messages.set(messageName, codec));
  }

  /** @type {Codecs['describe']} */
  describe() {
    return {
      ...this.#about,
      lanes: [...this.#codecs.keys()],
      messageTypes: [...new Set([...this.#codecs.values()].flatMap((messages) => [...messages.keys()]))],
      formats: [...this.#formats],
      loadsSchemas: false,
    };
  }

  /** @type {Codecs['loadSchema']} */
  loadSchema() {
    throw new Unsupported('this stub brings its own messages and loads no schema');
  }

  /** @type {Codecs['find']} */
  find({ lane, schemaId, messageType }) {
    if (schemaId !== '') throw new Unsupported(`this stub brings its own messages; it has no schema ${schemaId}`);
    const lanes = [...this.#codecs.keys()];
    const chosen = lane === '' ? (lanes[0] ?? '') : lane;
    const messages = this.#codecs.get(chosen);
    if (messages === undefined) {
      throw new Unsupported(`this stub has no lane ${lane}; it has ${lanes.join(', ') || 'none'}`);
    }
    const codec = messages.get(messageType);
    if (codec === undefined) throw new Unsupported(`this stub has no message ${messageType} in the lane ${chosen}`);
    return codec;
  }
}
