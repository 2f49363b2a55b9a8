/** Observes the values of ordinary JavaScript. */

import {
  checkDepth,
  writeAbsent,
  writeBinary,
  writeBoolean,
  writeField,
  writeFloat,
  writeInteger,
  writeList,
  writeMap,
  writeMessage,
  writeNull,
  writeText,
  writeUndefined,
} from './observation.js';

/** @typedef {import('./writer.js').Writer} Writer */

/** A decoder returned something of which nobody said how it is to be observed. */
export class Unobservable extends TypeError {
  /** @param {string} what */
  constructor(what) {
    super(`a ${what} cannot be observed; a decoder returns data`);
  }
}

/** Stands for an element that an array does not have. */
const HOLE = Symbol('hole');

/**
 * Observe a decoded value, to its last property. An object is a message of its own enumerable properties, in order,
 * unless it is one of JavaScript's own collections. A date is its text, the text `Invalid Date` included.
 *
 * @param {Writer} writer
 * @param {unknown} value
 * @param {number} [depth]
 * @throws {Unobservable | import('./observation.js').TooDeep}
 */
export function writeValue(writer, value, depth = 0) {
  checkDepth(depth);
  switch (typeof value) {
    case 'string':
      return writeText(writer, value);
    case 'number':
      return writeFloat(writer, value);
    case 'bigint':
      return writeInteger(writer, value);
    case 'boolean':
      return writeBoolean(writer, value);
    case 'undefined':
      return writeUndefined(writer);
    case 'object':
      return value === null ? writeNull(writer) : writeObject(writer, value, depth);
    case 'symbol':
      if (value === HOLE) return writeAbsent(writer);
      throw new Unobservable('symbol');
    default:
      throw new Unobservable(typeof value);
  }
}

/** @param {Writer} writer @param {object} value @param {number} depth */
function writeObject(writer, value, depth) {
  if (Array.isArray(value)) writeList(writer, elementsOf(value), writeValue, depth + 1);
  else if (value instanceof Date) writeText(writer, Number.isNaN(value.getTime()) ? `${value}` : value.toISOString());
  else if (value instanceof Map) writeMap(writer, value, writeValue, writeValue, depth + 1);
  else if (value instanceof Set) writeList(writer, value, writeValue, depth + 1);
  else if (value instanceof Uint8Array || value instanceof Uint8ClampedArray) writeBinary(writer, bytesOf(value));
  else if (value instanceof ArrayBuffer) writeBinary(writer, new Uint8Array(value));
  else if (value instanceof DataView) writeBinary(writer, bytesOf(value));
  else if (ArrayBuffer.isView(value)) writeList(writer, elementsOf(value), writeValue, depth + 1);
  else if (isBoxed(value)) writeValue(writer, value.valueOf(), depth);
  else writeProperties(writer, value, depth + 1);
}

/** @param {object} value */
function isBoxed(value) {
  return value instanceof String || value instanceof Number || value instanceof Boolean || value instanceof BigInt;
}

/** @param {ArrayBufferView} view */
function bytesOf({ buffer, byteOffset, byteLength }) {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** @param {ArrayLike<unknown> | ArrayBufferView} array @returns {Iterable<unknown>} */
function elementsOf(array) {
  return Array.from(/** @type {ArrayLike<unknown>} */ (array), (value, index) => (index in array ? value : HOLE));
}

/** @param {Writer} writer @param {object} value @param {number} depth of the properties */
function writeProperties(writer, value, depth) {
  writeMessage(writer, () => {
    for (const name of Object.keys(value)) {
      writeField(writer, name, /** @type {Record<string, unknown>} */ (value)[name], writeValue, depth);
    }
  });
}
