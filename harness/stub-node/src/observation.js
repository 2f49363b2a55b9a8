/** Observations, written: what a program sees of a value. See Observation in stub.proto. */

/** @typedef {import('./writer.js').Writer} Writer */

/** A value may be nested in so many others. */
export const MAX_DEPTH = 200;

const DELIMITED = 2;
const ABSENT = (1 << 3) | 0;
const NULL = (2 << 3) | 0;
const UNDEFINED = (3 << 3) | 0;
const BOOLEAN = (5 << 3) | 0;
const INTEGER = (6 << 3) | DELIMITED;
const FLOAT_BITS = (7 << 3) | 1;
const TEXT = (8 << 3) | DELIMITED;
const BINARY = (9 << 3) | DELIMITED;
const LIST = (10 << 3) | DELIMITED;
const MAP = (11 << 3) | DELIMITED;
const MESSAGE = (12 << 3) | DELIMITED;
const ENUM_VALUE = (13 << 3) | DELIMITED;
/** The first and the second field of ObservedList, ObservedMap, ObservedEntry, ObservedMessage, ObservedField. */
const FIRST = (1 << 3) | DELIMITED;
const SECOND = (2 << 3) | DELIMITED;
const UNKNOWN_BYTES = 2 << 3;
const ENUM_NUMBER = 1 << 3;

/** A value is nested more deeply than an observation goes. */
export class TooDeep extends Error {
  constructor() {
    super(`the value is nested in more than ${MAX_DEPTH} levels`);
  }
}

/** @param {number} depth @throws {TooDeep} */
export function checkDepth(depth) {
  if (depth > MAX_DEPTH) throw new TooDeep();
}

/** @param {Writer} writer */
export function writeAbsent(writer) {
  writer.varint(ABSENT);
  writer.varint(1);
}

/** @param {Writer} writer */
export function writeNull(writer) {
  writer.varint(NULL);
  writer.varint(1);
}

/** @param {Writer} writer */
export function writeUndefined(writer) {
  writer.varint(UNDEFINED);
  writer.varint(1);
}

/** @param {Writer} writer @param {boolean} value */
export function writeBoolean(writer, value) {
  writer.varint(BOOLEAN);
  writer.varint(value ? 1 : 0);
}

/** @param {Writer} writer @param {number | bigint | string} value a string is one of decimal digits */
export function writeInteger(writer, value) {
  writer.varint(INTEGER);
  writer.string(`${value}`);
}

/** @param {Writer} writer @param {number} value */
export function writeFloat(writer, value) {
  writer.varint(FLOAT_BITS);
  writer.float64(value);
}

/** @param {Writer} writer @param {string} value */
export function writeText(writer, value) {
  writer.varint(TEXT);
  writer.anyString(value);
}

/** @param {Writer} writer @param {Uint8Array} value */
export function writeBinary(writer, value) {
  writer.varint(BINARY);
  writer.delimited(value);
}

/** @param {Writer} writer @param {number} number @param {string | undefined} name undefined: it has none */
export function writeEnum(writer, number, name) {
  writer.varint(ENUM_VALUE);
  const start = writer.begin();
  if (number !== 0) {
    writer.varint(ENUM_NUMBER);
    writer.int32(number);
  }
  if (name !== undefined) {
    writer.varint(SECOND);
    writer.string(name);
  }
  writer.end(start);
}

/**
 * @template T
 * @param {Writer} writer
 * @param {Iterable<T>} items
 * @param {(writer: Writer, item: T, depth: number) => void} writeItem
 * @param {number} depth of the items
 */
export function writeList(writer, items, writeItem, depth) {
  writer.varint(LIST);
  const start = writer.begin();
  for (const item of items) {
    writer.varint(FIRST);
    const itemStart = writer.begin();
    writeItem(writer, item, depth);
    writer.end(itemStart);
  }
  writer.end(start);
}

/**
 * @template K, V
 * @param {Writer} writer
 * @param {Iterable<readonly [K, V]>} entries
 * @param {(writer: Writer, key: K, depth: number) => void} writeKey
 * @param {(writer: Writer, value: V, depth: number) => void} writeValue
 * @param {number} depth of the keys and values
 */
export function writeMap(writer, entries, writeKey, writeValue, depth) {
  writer.varint(MAP);
  const start = writer.begin();
  for (const [key, value] of entries) {
    writer.varint(FIRST);
    const entryStart = writer.begin();
    writer.varint(FIRST);
    const keyStart = writer.begin();
    writeKey(writer, key, depth);
    writer.end(keyStart);
    writer.varint(SECOND);
    const valueStart = writer.begin();
    writeValue(writer, value, depth);
    writer.end(valueStart);
    writer.end(entryStart);
  }
  writer.end(start);
}

/**
 * @param {Writer} writer
 * @param {(writer: Writer) => void} writeFields calls `writeField` for each
 * @param {number} [unknownBytes]
 */
export function writeMessage(writer, writeFields, unknownBytes = 0) {
  writer.varint(MESSAGE);
  const start = writer.begin();
  writeFields(writer);
  if (unknownBytes > 0) {
    writer.varint(UNKNOWN_BYTES);
    writer.varint(unknownBytes);
  }
  writer.end(start);
}

/**
 * @template T
 * @param {Writer} writer
 * @param {string} name a lone surrogate in it becomes U+FFFD: it is a string of the protocol
 * @param {T} value
 * @param {(writer: Writer, value: T, depth: number) => void} writeValue
 * @param {number} depth of the value
 */
export function writeField(writer, name, value, writeValue, depth) {
  writer.varint(FIRST);
  const start = writer.begin();
  writer.varint(FIRST);
  writer.string(name);
  writer.varint(SECOND);
  const valueStart = writer.begin();
  writeValue(writer, value, depth);
  writer.end(valueStart);
  writer.end(start);
}
