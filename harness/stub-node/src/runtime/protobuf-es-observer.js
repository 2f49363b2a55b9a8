/** Observes the messages of @bufbuild/protobuf through their descriptors. */

import { ScalarType, create, fromJson, getExtension, isFieldSet, isMessage } from '@bufbuild/protobuf';
import { reflect } from '@bufbuild/protobuf/reflect';
import { StructSchema, isWrapperDesc } from '@bufbuild/protobuf/wkt';

import {
  checkDepth,
  writeBinary,
  writeBoolean,
  writeEnum,
  writeField,
  writeFloat,
  writeInteger,
  writeList,
  writeMap,
  writeMessage,
  writeText,
} from '../observation.js';
import { MAP_KEYS } from './map-keys.js';

/**
 * @typedef {import('@bufbuild/protobuf').DescMessage} DescMessage
 * @typedef {import('@bufbuild/protobuf').DescField} DescField
 * @typedef {import('@bufbuild/protobuf').DescEnum} DescEnum
 * @typedef {import('@bufbuild/protobuf').DescExtension} DescExtension
 * @typedef {import('@bufbuild/protobuf').Message & Record<string, any>} Message
 * @typedef {import('@bufbuild/protobuf').UnknownField} UnknownField
 * @typedef {import('../writer.js').Writer} Writer
 */

/** @typedef {(writer: Writer, value: any, depth: number) => void} Write */

/**
 * @typedef {object} FieldObserver
 * @property {number} number
 * @property {string} name
 * @property {(message: Message) => unknown} get undefined: the field is not set
 * @property {Write} write
 */

/** @type {Record<ScalarType, Write>} */
const SCALARS = {
  [ScalarType.DOUBLE]: writeFloat,
  [ScalarType.FLOAT]: writeFloat,
  [ScalarType.INT64]: writeInteger,
  [ScalarType.UINT64]: writeInteger,
  [ScalarType.INT32]: writeInteger,
  [ScalarType.FIXED64]: writeInteger,
  [ScalarType.FIXED32]: writeInteger,
  [ScalarType.BOOL]: writeBoolean,
  [ScalarType.STRING]: writeText,
  [ScalarType.BYTES]: writeBinary,
  [ScalarType.UINT32]: writeInteger,
  [ScalarType.SFIXED32]: writeInteger,
  [ScalarType.SFIXED64]: writeInteger,
  [ScalarType.SINT32]: writeInteger,
  [ScalarType.SINT64]: writeInteger,
};

/** Observes the messages of one registry, and remembers how each of their fields is observed. */
export class ProtobufEsObserver {
  #registry;
  /** @type {Map<DescMessage, readonly FieldObserver[]>} */
  #fields = new Map();
  /** @type {Map<DescExtension, Write>} */
  #extensions = new Map();

  /** @param {import('@bufbuild/protobuf').Registry} registry */
  constructor(registry) {
    this.#registry = registry;
  }

  /**
   * List the fields that are set, differ from their default, or have elements, in the order of their numbers.
   *
   * @param {Writer} writer
   * @param {DescMessage} desc
   * @param {Message} message
   * @param {number} [depth]
   */
  observe(writer, desc, message, depth = 0) {
    checkDepth(depth);
    const known = this.#fieldsOf(desc);
    const { $unknown } = message;
    if ($unknown === undefined || $unknown.length === 0) {
      writeMessage(writer, () => writeFields(writer, known, message, depth + 1));
      return;
    }
    const { extensions, unknownBytes } = this.#readUnknown(desc, message, $unknown);
    const fields = extensions.length === 0 ? known : [...known, ...extensions].sort((a, b) => a.number - b.number);
    writeMessage(writer, () => writeFields(writer, fields, message, depth + 1), unknownBytes);
  }

  /** @param {DescMessage} desc */
  #fieldsOf(desc) {
    const known = this.#fields.get(desc);
    if (known !== undefined) return known;
    const fields = desc.fields
      .map((field) => ({ number: field.number, name: field.name, get: getterOf(field), write: this.#writerOf(field) }))
      .sort((a, b) => a.number - b.number);
    this.#fields.set(desc, fields);
    return fields;
  }

  /**
   * Extensions are unknown fields until they are asked for. One that cannot be decoded stays unknown.
   *
   * @param {DescMessage} desc
   * @param {Message} message
   * @param {readonly UnknownField[]} unknown
   */
  #readUnknown(desc, message, unknown) {
    /** @type {Map<number, FieldObserver>} */
    const extensions = new Map();
    let unknownBytes = 0;
    for (const field of unknown) {
      const extension = this.#registry.getExtensionFor(desc, field.no);
      if (extension !== undefined && !extensions.has(field.no)) {
        const observer = this.#extensionObserver(extension, message);
        if (observer !== undefined) extensions.set(field.no, observer);
      }
      if (!extensions.has(field.no)) unknownBytes += tagBytes(field.no) + field.data.length;
    }
    return { extensions: [...extensions.values()], unknownBytes };
  }

  /** @param {DescExtension} extension @param {Message} message @returns {FieldObserver | undefined} */
  #extensionObserver(extension, message) {
    try {
      const value = getExtension(message, extension);
      const write = this.#extensions.get(extension) ?? this.#writerOf(extension);
      this.#extensions.set(extension, write);
      return { number: extension.number, name: `[${extension.typeName}]`, get: () => value, write };
    } catch {
      return undefined;
    }
  }

  /** @param {DescField | DescExtension} field @returns {Write} */
  #writerOf(field) {
    if (field.fieldKind === 'map') return this.#mapWriter(field);
    if (field.fieldKind !== 'list') return this.#valueWriter(field.message, field.enum, field.scalar);
    const writeItem = this.#valueWriter(field.message, field.enum, field.scalar);
    return (writer, items, depth) => writeList(writer, items, writeItem, depth);
  }

  /** @param {DescField & { fieldKind: 'map' }} field @returns {Write} */
  #mapWriter(field) {
    const writeItem = this.#valueWriter(field.message, field.enum, field.scalar);
    const kind = field.mapKey === ScalarType.STRING ? 'string' : field.mapKey === ScalarType.BOOL ? 'bool' : 'integer';
    const keys = MAP_KEYS[kind];
    return (writer, values, depth) => {
      const entries = Object.entries(values).sort(([one], [other]) => keys.compare(one, other));
      writeMap(writer, entries, keys.write, writeItem, depth);
    };
  }

  /**
   * @param {DescMessage | undefined} message
   * @param {DescEnum | undefined} enumeration
   * @param {ScalarType | undefined} scalar
   * @returns {Write}
   */
  #valueWriter(message, enumeration, scalar) {
    if (message !== undefined) {
      return (writer, value, depth) => this.observe(writer, message, asMessage(message, value), depth);
    }
    if (enumeration !== undefined) {
      return (writer, number) => writeEnum(writer, number, enumeration.value[number]?.name);
    }
    return SCALARS[/** @type {ScalarType} */ (scalar)];
  }
}

/** @param {Writer} writer @param {readonly FieldObserver[]} fields @param {Message} message @param {number} depth */
function writeFields(writer, fields, message, depth) {
  for (const { name, get, write } of fields) {
    const value = get(message);
    if (value !== undefined) writeField(writer, name, value, write, depth);
  }
}

/** @param {DescField} field @returns {FieldObserver['get']} */
function getterOf(field) {
  if (field.message?.typeName === StructSchema.typeName) return reflectedGetter(field);
  const { localName, oneof } = field;
  if (oneof !== undefined) {
    const oneofName = oneof.localName;
    return (message) => (message[oneofName].case === localName ? message[oneofName].value : undefined);
  }
  return (message) => (isFieldSet(message, field) ? message[localName] : undefined);
}

/** A Struct is a plain object in most fields. @param {DescField} field @returns {FieldObserver['get']} */
function reflectedGetter(field) {
  return (message) => {
    if (!isFieldSet(message, field)) return undefined;
    const reflected = reflect(field.parent, message, false);
    if (field.fieldKind === 'message') return reflected.get(field).message;
    if (field.fieldKind === 'list') return Array.from(reflected.get(field), messageOf);
    const entries = reflected.get(/** @type {DescField & { fieldKind: 'map' }} */ (field));
    return Object.fromEntries(Array.from(entries, ([key, value]) => [key, messageOf(value)]));
  };
}

/** @param {unknown} reflected @returns {Message} */
function messageOf(reflected) {
  return /** @type {{ message: Message }} */ (reflected).message;
}

/**
 * A wrapper is its value in most fields, and a Struct in an extension is a plain object.
 *
 * @param {DescMessage} desc
 * @param {unknown} value
 * @returns {Message}
 */
function asMessage(desc, value) {
  if (isMessage(value)) return value;
  if (isWrapperDesc(desc)) return create(desc, /** @type {any} */ ({ value }));
  return fromJson(desc, /** @type {import('@bufbuild/protobuf').JsonObject} */ (value));
}

/** @param {number} fieldNumber */
function tagBytes(fieldNumber) {
  let bytes = 1;
  for (let rest = fieldNumber >>> 4; rest > 0; rest >>>= 7) bytes += 1;
  return bytes;
}
