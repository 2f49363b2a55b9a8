/** Answers requests, whatever the code under test does. */

import { isUtf8 } from 'node:buffer';

import {
  OBSERVATION_TAG,
  RESULT_TAGS,
  SEQUENCE_TAG,
  WireFormat,
  readLoadSchema,
  readRequest,
  writeDescription,
  writeSchemaLoaded,
} from './protocol.js';

/**
 * @typedef {import('./protocol.js').Request} Request
 * @typedef {import('./protocol.js').PayloadKind} PayloadKind
 * @typedef {import('./writer.js').Writer} Writer
 */

/**
 * Reads and writes one message in one lane. A decoder throws what it refuses, an encoder what it cannot write; either
 * may return a promise.
 *
 * @typedef {object} Codec
 * @property {Partial<Record<PayloadKind, (payload: Buffer, request: Request) => unknown>>} decoders
 * @property {Partial<Record<number, (value: any, request: Request) => unknown>>} encoders by the WireFormat: what they
 *   return is a string or a Uint8Array
 * @property {(writer: Writer, value: any) => void} observe
 */

/**
 * All that a stub can do.
 *
 * @typedef {object} Codecs
 * @property {(lane: string) => import('./protocol.js').Description} describe an empty lane: all of them
 * @property {(id: string, fileDescriptorSet: Buffer) => number} loadSchema keeps it, and returns how many messages it
 *   has; throws Unsupported or SchemaError
 * @property {(request: Request) => Codec} find throws Unsupported
 */

/** What was asked is not among what this stub does; the message says why. */
export class Unsupported extends Error {}

/** A schema cannot be used; the message says what is wrong with it. */
export class SchemaError extends Error {}

const LONGEST_REASON = 2000;

/** Asked of a conformance testee before all else: which tests it expects to fail. The answer is an empty list. */
const EXPECTED_FAILURES = 'conformance.FailureSet';

/** @type {Record<number, 'protobuf_payload' | 'json_payload' | 'text_payload'>} */
const RESULTS = {
  [WireFormat.PROTOBUF]: 'protobuf_payload',
  [WireFormat.JSON]: 'json_payload',
  [WireFormat.TEXT_FORMAT]: 'text_payload',
};

/**
 * What an error says for itself.
 *
 * @param {unknown} error anything: it is code under test that throws it
 */
export function reasonOf(error) {
  try {
    return error instanceof Error ? `${error.message || error.name}` : String(error);
  } catch {
    return 'an error that cannot be read';
  }
}

/** @param {unknown} value @returns {value is Promise<unknown>} */
function isPromise(value) {
  return value instanceof Promise;
}

/** Answers one request at a time, out of what a stub can do. */
export class Answerer {
  #codecs;
  #writer;

  /**
   * @param {Codecs} codecs
   * @param {Writer} writer takes the answers
   */
  constructor(codecs, writer) {
    this.#codecs = codecs;
    this.#writer = writer;
  }

  /**
   * Answer one Request with one framed Response. Never throws.
   *
   * @param {Buffer} frame
   * @returns {Promise<void> | undefined} undefined: the answer is there already
   */
  answer(frame) {
    const start = this.#writer.beginFrame();
    /** @type {Request} */
    let request;
    try {
      request = readRequest(frame);
    } catch (error) {
      return this.#refuse(start, 0n, 'runtime_error', `the frame is no Request: ${reasonOf(error)}`);
    }
    try {
      const pending = this.#dispatch(request);
      if (pending === undefined) return this.#finish(start, request);
      return pending.then(
        () => this.#finish(start, request),
        (error) => this.#fail(start, request, error),
      );
    } catch (error) {
      return this.#fail(start, request, error);
    }
  }

  /** @param {Request} request */
  #dispatch(request) {
    if (request.kind === 'hello') return this.#message('description', this.#describe(request));
    if (request.kind === 'load_schema') return this.#message('schema_loaded', this.#loadSchema(request));
    if (request.kind === '') throw new Unsupported('the request has no payload that this stub knows');
    if (request.messageType === EXPECTED_FAILURES) return this.#result('protobuf_payload', '');
    return this.#convert(request, request.kind);
  }

  /** @param {Request} request */
  #describe({ lane }) {
    const description = this.#codecs.describe(lane);
    return () => writeDescription(this.#writer, description);
  }

  /** @param {Request} request */
  #loadSchema({ payload }) {
    const { id, fileDescriptorSet } = readLoadSchema(payload);
    const messageCount = this.#codecs.loadSchema(id, fileDescriptorSet);
    return () => writeSchemaLoaded(this.#writer, messageCount);
  }

  /** @param {Request} request @param {PayloadKind} kind @returns {Promise<void> | undefined} */
  #convert(request, kind) {
    const codec = this.#codecs.find(request);
    const decode = codec.decoders[kind];
    if (decode === undefined) throw new Unsupported(`this stub does not read ${request.messageType} from a ${kind}`);
    let value;
    try {
      value = decode(request.payload, request);
    } catch (error) {
      return this.#result('parse_error', shortened(error));
    }
    if (!isPromise(value)) return this.#use(request, kind, codec, value);
    return value.then(
      (settled) => this.#use(request, kind, codec, settled),
      (error) => this.#result('parse_error', shortened(error)),
    );
  }

  /** @param {Request} request @param {PayloadKind} kind @param {Codec} codec @param {unknown} value */
  #use(request, kind, codec, value) {
    if (request.observe) this.#message(OBSERVATION_TAG, () => codec.observe(this.#writer, value));
    const format = request.outputFormat;
    if (format === WireFormat.UNSPECIFIED) return undefined;
    const encode = codec.encoders[format];
    if (encode === undefined) {
      return this.#result('skipped', `this stub does not write ${request.messageType} as ${nameOf(format)}`);
    }
    const isRaw = kind === 'raw_json_payload' && format === WireFormat.JSON;
    const result = isRaw ? kind : /** @type {'json_payload'} */ (RESULTS[format]);
    let encoded;
    try {
      encoded = encode(value, request);
      if (!isPromise(encoded)) return this.#result(result, checked(encoded, result));
    } catch (error) {
      return this.#result('serialize_error', shortened(error));
    }
    return encoded
      .then((settled) => checked(settled, result))
      .then(
        (content) => this.#result(result, content),
        (error) => this.#result('serialize_error', shortened(error)),
      );
  }

  /** @param {keyof typeof RESULT_TAGS} kind @param {string | Uint8Array} content @returns {undefined} */
  #result(kind, content) {
    this.#writer.varint(RESULT_TAGS[kind]);
    if (typeof content === 'string') this.#writer.string(content);
    else this.#writer.delimited(content);
  }

  /** @param {keyof typeof RESULT_TAGS | number} kind @param {() => void} write @returns {undefined} */
  #message(kind, write) {
    this.#writer.varint(typeof kind === 'number' ? kind : RESULT_TAGS[kind]);
    const start = this.#writer.begin();
    write();
    this.#writer.end(start);
  }

  /** @param {number} start @param {Request} request @returns {undefined} */
  #finish(start, { sequence }) {
    if (sequence !== 0n) {
      this.#writer.varint(SEQUENCE_TAG);
      this.#writer.varint64(sequence);
    }
    this.#writer.endFrame(start);
  }

  /** @param {number} start @param {Request} request @param {unknown} error @returns {undefined} */
  #fail(start, request, error) {
    if (error instanceof Unsupported) return this.#refuse(start, request.sequence, 'skipped', shortened(error));
    return this.#refuse(start, request.sequence, 'runtime_error', shortened(error));
  }

  /**
   * In place of what was written of the answer.
   *
   * @param {number} start
   * @param {bigint} sequence
   * @param {'skipped' | 'runtime_error'} kind
   * @param {string} reason
   * @returns {undefined}
   */
  #refuse(start, sequence, kind, reason) {
    this.#writer.position = start;
    this.#writer.beginFrame();
    this.#result(kind, reason);
    this.#finish(start, /** @type {Request} */ ({ sequence }));
  }
}

/** @param {unknown} error */
function shortened(error) {
  return reasonOf(error).slice(0, LONGEST_REASON);
}

/**
 * @param {unknown} encoded
 * @param {keyof typeof RESULT_TAGS} kind
 * @returns {string | Uint8Array}
 */
function checked(encoded, kind) {
  if (typeof encoded === 'string') return encoded;
  if (!(encoded instanceof Uint8Array)) {
    throw new TypeError(
      `the encoder returned ${encoded === null ? 'null' : typeof encoded} instead of a string or bytes`,
    );
  }
  const isText = kind === 'json_payload' || kind === 'text_payload';
  if (isText && !isUtf8(encoded)) throw new TypeError('what the encoder returned is not valid UTF-8');
  return encoded;
}

/** @param {number} format */
function nameOf(format) {
  return Object.entries(WireFormat).find(([, number]) => number === format)?.[0] ?? `format ${format}`;
}
