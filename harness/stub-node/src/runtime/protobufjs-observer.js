/** Observes the messages of protobufjs through its reflection. */

import protobuf from 'protobufjs';

import {
  checkDepth,
  writeEnum,
  writeField,
  writeFloat,
  writeInteger,
  writeList,
  writeMap,
  writeMessage,
} from '../observation.js';
import { writeValue } from '../values.js';
import { MAP_KEYS } from './map-keys.js';

/**
 * @typedef {import('../writer.js').Writer} Writer
 * @typedef {Record<string, any>} Message an instance of protobufjs's, or a plain object
 */

/** @typedef {(writer: Writer, value: any, depth: number) => void} Write */

/**
 * @typedef {object} FieldObserver
 * @property {string} name in the schema
 * @property {string} property in the message
 * @property {(value: any) => boolean} isSet whether a value that is there makes the field set
 * @property {Write} write
 */

const INTEGERS_64 = new Set(['int64', 'uint64', 'sint64', 'fixed64', 'sfixed64']);

/** Observes messages, and remembers how each of their fields is observed. */
export class ProtobufjsObserver {
  /** @type {Map<protobuf.Type, readonly FieldObserver[]>} */
  #fields = new Map();

  /**
   * List the fields that are set, differ from their default, or have elements, in the order of their numbers.
   *
   * @param {Writer} writer
   * @param {protobuf.Type} type
   * @param {Message} message
   * @param {number} [depth]
   */
  observe(writer, type, message, depth = 0) {
    checkDepth(depth);
    if (message === null || typeof message !== 'object') return writeValue(writer, message, depth);
    const fields = this.#fields.get(type) ?? this.#learn(type);
    const unknown = Object.hasOwn(message, '$unknowns') ? message.$unknowns : [];
    const unknownBytes = unknown.reduce(
      (/** @type {number} */ sum, /** @type {Uint8Array} */ raw) => sum + raw.length,
      0,
    );
    return writeMessage(writer, () => writeFields(writer, fields, message, depth + 1), unknownBytes);
  }

  /** @param {protobuf.Type} type */
  #learn(type) {
    const fields = type.fieldsArray
      .toSorted((one, other) => one.id - other.id)
      .map((field) => this.#fieldObserver(field.resolve()));
    this.#fields.set(type, fields);
    return fields;
  }

  /** @param {protobuf.Field} field @returns {FieldObserver} */
  #fieldObserver(field) {
    const writeOne = this.#valueWriter(field);
    const { name: property } = field;
    const name = nameInSchema(field);
    if (field instanceof protobuf.MapField) {
      return { name, property, isSet: hasKeys, write: mapWriter(field.keyType, writeOne) };
    }
    if (field.repeated) {
      /** @type {Write} */
      const write = (writer, items, depth) => writeList(writer, items, writeOne, depth);
      return { name, property, isSet: (items) => items.length > 0, write };
    }
    return { name, property, isSet: field.hasPresence ? () => true : differsFromDefault, write: writeOne };
  }

  /** @param {protobuf.Field} field @returns {Write} */
  #valueWriter({ resolvedType, type }) {
    if (resolvedType instanceof protobuf.Type) {
      return (writer, value, depth) => this.observe(writer, resolvedType, value, depth);
    }
    if (resolvedType instanceof protobuf.Enum) {
      return (writer, value, depth) => {
        if (typeof value === 'number') writeEnum(writer, value, resolvedType.valuesById[value]);
        else writeValue(writer, value, depth);
      };
    }
    const isFloat = type === 'double' || type === 'float';
    return isFloat
      ? writeFloatOrOther
      : INTEGERS_64.has(type) || type.endsWith('32')
        ? writeIntegerOrOther
        : writeValue;
  }
}

/** @type {Write} */
function writeFloatOrOther(writer, value, depth) {
  if (typeof value === 'number') writeFloat(writer, value);
  else writeValue(writer, value, depth);
}

/** A 64-bit integer is a Long, or a number when it was not read from the wire. @type {Write} */
function writeIntegerOrOther(writer, value, depth) {
  if (value instanceof protobuf.util.Long) writeInteger(writer, value.toString());
  else if (Number.isInteger(value)) writeInteger(writer, BigInt(value));
  else writeValue(writer, value, depth);
}

/** @param {Writer} writer @param {readonly FieldObserver[]} fields @param {Message} message @param {number} depth */
function writeFields(writer, fields, message, depth) {
  for (const { name, property, isSet, write } of fields) {
    const value = Object.hasOwn(message, property) ? message[property] : undefined;
    if (value !== undefined && value !== null && isSet(value)) writeField(writer, name, value, write, depth);
  }
}

/** @param {protobuf.Field} field */
function nameInSchema({ name, protoName, declaringField }) {
  if (declaringField === null) return protoName ?? name;
  const scope = declaringField.fullName.slice(1, -declaringField.name.length);
  return `[${scope}${declaringField.protoName ?? declaringField.name}]`;
}

/** @param {string} keyType @param {Write} writeOne @returns {Write} */
function mapWriter(keyType, writeOne) {
  const keys = MAP_KEYS[keyType === 'string' || keyType === 'bool' ? keyType : 'integer'];
  const isUnsigned = keyType === 'uint64' || keyType === 'fixed64';
  /** A key of 64 bits may be a string of eight characters that stand for a byte each. @param {string} key */
  const plain = (key) => (INTEGERS_64.has(keyType) ? `${protobuf.util.longFromKey(key, isUnsigned)}` : key);
  return (writer, values, depth) => {
    const entries = Object.entries(values).map(([key, value]) => /** @type {const} */ ([plain(key), value]));
    writeMap(
      writer,
      entries.sort(([one], [other]) => keys.compare(one, other)),
      keys.write,
      writeOne,
      depth,
    );
  };
}

/** @param {object} value */
function hasKeys(value) {
  return Object.keys(value).length > 0;
}

/** @param {any} value of a field without presence */
function differsFromDefault(value) {
  if (typeof value === 'object')
    return value instanceof protobuf.util.Long ? value.low !== 0 || value.high !== 0 : value.length !== 0;
  return typeof value === 'number' ? !Object.is(value, 0) : Boolean(value);
}
