/**
 * The messages of `counterfoil.stub.v1`, by number: requests are read and responses are written without generated code,
 * which takes longer for a small payload, and which a participant that uses the SDK would have to install.
 */

import { Reader, WireType } from './reader.js';

export const PROTOCOL_VERSION = 1;

export const WireFormat = /** @type {const} */ ({ UNSPECIFIED: 0, PROTOBUF: 1, JSON: 2, JSPB: 3, TEXT_FORMAT: 4 });

export const JSON_IGNORE_UNKNOWN_PARSING_TEST = 3;

/**
 * @typedef {'protobuf_payload' | 'json_payload' | 'jspb_payload' | 'text_payload' | 'raw_json_payload'} PayloadKind
 */

/**
 * @typedef {object} Request
 * @property {PayloadKind | 'load_schema' | 'hello' | ''} kind which payload it has; empty: none that is known
 * @property {Buffer} payload the payload's bytes; valid UTF-8 where the payload is a string
 * @property {number} outputFormat
 * @property {string} messageType
 * @property {number} testCategory
 * @property {boolean} printUnknownFields
 * @property {string} lane
 * @property {bigint} sequence
 * @property {string} schemaId
 * @property {boolean} observe
 */

/** @typedef {{ id: string, fileDescriptorSet: Buffer }} LoadSchema */

/**
 * @typedef {object} Description
 * @property {string} language
 * @property {string} runtime
 * @property {string} runtimeVersion
 * @property {readonly string[]} lanes
 * @property {readonly string[]} messageTypes
 * @property {readonly number[]} formats
 * @property {boolean} loadsSchemas
 */

/** @type {Record<number, { kind: Request['kind'], isText: boolean }>} */
const PAYLOADS = {
  1: { kind: 'protobuf_payload', isText: false },
  2: { kind: 'json_payload', isText: true },
  7: { kind: 'jspb_payload', isText: true },
  8: { kind: 'text_payload', isText: true },
  100: { kind: 'raw_json_payload', isText: false },
  110: { kind: 'load_schema', isText: false },
  111: { kind: 'hello', isText: false },
};

const NOTHING = Buffer.alloc(0);

/**
 * @param {Buffer} frame
 * @returns {Request} with views of the frame
 * @throws {import('./reader.js').Malformed}
 */
export function readRequest(frame) {
  /** @type {Request} */
  const request = {
    kind: '',
    payload: NOTHING,
    outputFormat: 0,
    messageType: '',
    testCategory: 0,
    printUnknownFields: false,
    lane: '',
    sequence: 0n,
    schemaId: '',
    observe: false,
  };
  const reader = new Reader(frame);
  while (reader.next()) {
    if (reader.wireType === WireType.DELIMITED) readDelimited(reader, request);
    else if (reader.wireType === WireType.VARINT) readNumber(reader, request);
    else reader.skip();
  }
  return request;
}

/** @param {Reader} reader @param {Request} request */
function readDelimited(reader, request) {
  const payload = PAYLOADS[reader.fieldNumber];
  if (payload !== undefined) {
    request.kind = payload.kind;
    request.payload = payload.isText ? reader.utf8() : reader.delimited();
  } else if (reader.fieldNumber === 4) request.messageType = reader.string();
  else if (reader.fieldNumber === 101) request.lane = reader.string();
  else if (reader.fieldNumber === 103) request.schemaId = reader.string();
  else reader.skip();
}

/** @param {Reader} reader @param {Request} request */
function readNumber(reader, request) {
  if (reader.fieldNumber === 102) request.sequence = reader.uint64();
  else if (reader.fieldNumber === 3) request.outputFormat = reader.uint32() | 0;
  else if (reader.fieldNumber === 5) request.testCategory = reader.uint32() | 0;
  else if (reader.fieldNumber === 9) request.printUnknownFields = reader.bool();
  else if (reader.fieldNumber === 104) request.observe = reader.bool();
  else reader.skip();
}

/**
 * @param {Buffer} payload
 * @returns {LoadSchema}
 * @throws {import('./reader.js').Malformed}
 */
export function readLoadSchema(payload) {
  /** @type {LoadSchema} */
  const asked = { id: '', fileDescriptorSet: NOTHING };
  const reader = new Reader(payload);
  while (reader.next()) {
    if (reader.wireType !== WireType.DELIMITED) reader.skip();
    else if (reader.fieldNumber === 1) asked.id = reader.string();
    else if (reader.fieldNumber === 2) asked.fileDescriptorSet = reader.delimited();
    else reader.skip();
  }
  return asked;
}

/** @param {number} fieldNumber */
const delimitedTag = (fieldNumber) => (fieldNumber << 3) | WireType.DELIMITED;

/** @param {number} fieldNumber */
const varintTag = (fieldNumber) => fieldNumber << 3;

/** What stands in front of each result of a Response. */
export const RESULT_TAGS = /** @type {const} */ ({
  parse_error: delimitedTag(1),
  runtime_error: delimitedTag(2),
  protobuf_payload: delimitedTag(3),
  json_payload: delimitedTag(4),
  skipped: delimitedTag(5),
  serialize_error: delimitedTag(6),
  text_payload: delimitedTag(8),
  raw_json_payload: delimitedTag(100),
  schema_loaded: delimitedTag(110),
  description: delimitedTag(111),
});

export const OBSERVATION_TAG = delimitedTag(101);
export const SEQUENCE_TAG = varintTag(102);

/**
 * The result of a `hello`, without its length.
 *
 * @param {import('./writer.js').Writer} writer
 * @param {Description} description
 */
export function writeDescription(writer, description) {
  writeNumber(writer, 1, PROTOCOL_VERSION);
  writeStrings(writer, 2, [description.language]);
  writeStrings(writer, 3, [description.runtime]);
  writeStrings(writer, 4, [description.runtimeVersion]);
  writeStrings(writer, 5, description.lanes);
  writeStrings(writer, 6, description.messageTypes);
  writer.varint(delimitedTag(7));
  const start = writer.begin();
  for (const format of description.formats) writer.varint(format);
  writer.end(start);
  writeNumber(writer, 8, Number(description.loadsSchemas));
  writeNumber(writer, 9, 1);
}

/**
 * The result of a `load_schema`, without its length.
 *
 * @param {import('./writer.js').Writer} writer
 * @param {number} messageCount
 */
export function writeSchemaLoaded(writer, messageCount) {
  writeNumber(writer, 1, messageCount);
}

/** @param {import('./writer.js').Writer} writer @param {number} fieldNumber @param {number} number */
function writeNumber(writer, fieldNumber, number) {
  writer.varint(varintTag(fieldNumber));
  writer.varint(number);
}

/** @param {import('./writer.js').Writer} writer @param {number} fieldNumber @param {readonly string[]} texts */
function writeStrings(writer, fieldNumber, texts) {
  for (const text of texts) {
    writer.varint(delimitedTag(fieldNumber));
    writer.string(text);
  }
}
