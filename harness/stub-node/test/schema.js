/** A schema with one field of each kind, and an extension. */

import { create, createFileRegistry, toBinary } from '@bufbuild/protobuf';
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_struct,
  file_google_protobuf_wrappers,
} from '@bufbuild/protobuf/wkt';

/**
 * @typedef {typeof import('@bufbuild/protobuf/wkt').FieldDescriptorProtoSchema} FieldSchema
 * @typedef {import('@bufbuild/protobuf').MessageInitShape<FieldSchema>} FieldInit
 */

/** @param {number} number @param {string} name @param {Type} type @param {FieldInit} [rest] @returns {FieldInit} */
const field = (number, name, type, rest = {}) => ({ number, name, type, label: Label.OPTIONAL, ...rest });

/** @param {number} number @param {string} name @param {Type} type @param {string} typeName @param {FieldInit} [rest] */
const typed = (number, name, type, typeName, rest = {}) => field(number, name, type, { typeName, ...rest });

const REPEATED = { label: Label.REPEATED };

/** @param {string} name @param {Type} keyType @param {Type} valueType */
const entry = (name, keyType, valueType) => ({
  name,
  field: [field(1, 'key', keyType), field(2, 'value', valueType)],
  options: { mapEntry: true },
});

const everything = create(FileDescriptorProtoSchema, {
  name: 'everything.proto',
  package: 'test',
  syntax: 'proto3',
  dependency: ['google/protobuf/wrappers.proto', 'google/protobuf/struct.proto'],
  enumType: [
    {
      name: 'Color',
      value: [
        { name: 'COLOR_NONE', number: 0 },
        { name: 'COLOR_RED', number: 2 },
      ],
    },
  ],
  messageType: [
    {
      name: 'Everything',
      field: [
        typed(20, 'late_child', Type.MESSAGE, '.test.Everything'),
        field(1, 'big_id', Type.INT64),
        field(2, 'ratio', Type.DOUBLE),
        field(3, 'nick_name', Type.STRING, { proto3Optional: true, oneofIndex: 1 }),
        field(4, 'numbers', Type.INT32, REPEATED),
        typed(5, 'by_name', Type.MESSAGE, '.test.Everything.ByNameEntry', REPEATED),
        typed(6, 'by_id', Type.MESSAGE, '.test.Everything.ByIdEntry', REPEATED),
        field(7, 'email', Type.STRING, { oneofIndex: 0 }),
        field(8, 'phone', Type.UINT64, { oneofIndex: 0 }),
        typed(9, 'color', Type.ENUM, '.test.Color'),
        typed(10, 'note', Type.MESSAGE, '.google.protobuf.StringValue'),
        typed(11, 'extra', Type.MESSAGE, '.google.protobuf.Struct'),
        field(13, 'raw', Type.BYTES),
        field(14, 'short', Type.FLOAT),
        field(15, 'yes', Type.BOOL),
        typed(16, 'by_yes', Type.MESSAGE, '.test.Everything.ByYesEntry', REPEATED),
      ],
      oneofDecl: [{ name: 'contact' }, { name: '_nick_name' }],
      nestedType: [
        entry('ByNameEntry', Type.STRING, Type.INT32),
        entry('ByIdEntry', Type.INT64, Type.BOOL),
        entry('ByYesEntry', Type.BOOL, Type.STRING),
      ],
    },
  ],
});

const legacy = create(FileDescriptorProtoSchema, {
  name: 'legacy.proto',
  package: 'test.old',
  syntax: 'proto2',
  messageType: [
    {
      name: 'Legacy',
      field: [field(1, 'count', Type.INT32), field(200, 'last', Type.INT32)],
      extensionRange: [{ start: 100, end: 200 }],
    },
  ],
  extension: [field(100, 'extra_text', Type.STRING, { extendee: '.test.old.Legacy' })],
});

/** Imports stand after those who import them. */
export const FILES = [legacy, everything, file_google_protobuf_struct.proto, file_google_protobuf_wrappers.proto];

export const MESSAGE_COUNT = 1 + 1 + 3 + 9;

/** @param {readonly import('@bufbuild/protobuf/wkt').FileDescriptorProto[]} files */
export function imageOf(files) {
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [...files] }));
}

export const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: FILES.toReversed() }));
