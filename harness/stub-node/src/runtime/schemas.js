/** Schemas: FileDescriptorSets become registries of their own. */

import { create, createFileRegistry, fromBinary, toBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

import { SchemaError, reasonOf } from '../answers.js';

/**
 * @typedef {import('@bufbuild/protobuf').FileRegistry} FileRegistry
 * @typedef {import('@bufbuild/protobuf/wkt').FileDescriptorProto} FileDescriptorProto
 * @typedef {import('@bufbuild/protobuf/wkt').FileDescriptorSet} FileDescriptorSet
 * @typedef {import('@bufbuild/protobuf/wkt').DescriptorProto} DescriptorProto
 */

/**
 * @typedef {object} Schema
 * @property {FileDescriptorSet} fileDescriptorSet its files, imports before those who import them
 * @property {FileRegistry} registry
 * @property {number} messageCount
 */

/**
 * @param {readonly Uint8Array[]} fileDescriptorSets serialized, with their files in any order
 * @returns {Schema}
 * @throws {SchemaError}
 */
export function readSchema(fileDescriptorSets) {
  /** @type {Map<string, FileDescriptorProto>} */
  const files = new Map();
  for (const file of fileDescriptorSets.flatMap(decode)) {
    const known = files.get(file.name);
    if (known !== undefined && !isSame(known, file)) {
      throw new SchemaError(`there are two different files of the name ${file.name}`);
    }
    files.set(file.name, file);
  }
  const fileDescriptorSet = create(FileDescriptorSetSchema, { file: importsFirst(files) });
  return {
    fileDescriptorSet,
    registry: build(fileDescriptorSet),
    messageCount: [...files.values()].reduce((count, file) => count + countMessages(file.messageType), 0),
  };
}

/** @param {FileDescriptorProto} one @param {FileDescriptorProto} other */
function isSame(one, other) {
  return Buffer.from(toBinary(FileDescriptorProtoSchema, one)).equals(toBinary(FileDescriptorProtoSchema, other));
}

/** @param {Uint8Array} encoded */
function decode(encoded) {
  try {
    const { file: files } = fromBinary(FileDescriptorSetSchema, encoded);
    for (const { messageType } of files) nameForJson(messageType);
    return files;
  } catch (error) {
    throw new SchemaError(`not a FileDescriptorSet: ${reasonOf(error)}`);
  }
}

/**
 * Give each field the JSON name that a compiler gives it. Both runtimes rely on it; a schema that was built otherwise
 * may do without.
 *
 * @param {readonly DescriptorProto[]} messages
 */
function nameForJson(messages) {
  for (const { field: fields, nestedType } of messages) {
    for (const field of fields) {
      if (field.jsonName === '') field.jsonName = field.name.replace(/_+(.?)/g, (_, next) => next.toUpperCase());
    }
    nameForJson(nestedType);
  }
}

/** @param {FileDescriptorSet} fileDescriptorSet */
function build(fileDescriptorSet) {
  try {
    return createFileRegistry(fileDescriptorSet);
  } catch (error) {
    throw new SchemaError(`the schema is not valid: ${reasonOf(error)}`);
  }
}

/**
 * @param {ReadonlyMap<string, FileDescriptorProto>} files
 * @returns {FileDescriptorProto[]}
 */
function importsFirst(files) {
  /** @type {Set<FileDescriptorProto>} in the order in which it is filled */
  const ordered = new Set();
  /** @type {Set<string>} */
  const pending = new Set();
  /** @param {FileDescriptorProto} file */
  const visit = (file) => {
    if (ordered.has(file)) return;
    if (pending.has(file.name)) {
      throw new SchemaError(`these files import each other: ${[...pending, file.name].join(' -> ')}`);
    }
    pending.add(file.name);
    for (const name of file.dependency) {
      const imported = files.get(name);
      if (imported === undefined) throw new SchemaError(`${file.name} imports ${name}, which is not in the schema`);
      visit(imported);
    }
    pending.delete(file.name);
    ordered.add(file);
  };
  for (const file of files.values()) visit(file);
  return [...ordered];
}

/**
 * Count these and those declared inside them, but not the entries that stand for a map field.
 *
 * @param {readonly DescriptorProto[]} messages
 * @returns {number}
 */
function countMessages(messages) {
  return messages.reduce(
    (count, { nestedType, options }) => count + (options?.mapEntry ? 0 : 1) + countMessages(nestedType),
    0,
  );
}
