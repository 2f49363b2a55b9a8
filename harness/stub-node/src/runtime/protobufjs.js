/**
 * The lanes around protobufjs, which has two ways with JSON: `protobufjs` reads and writes the JSON mapping of protobuf
 * with its extension for that, and `protobufjs-object` does what was there before, and is widespread: `fromObject` on
 * what JSON.parse yields, `toObject` on the way back.
 */

import { toBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor.js';
import protojson from 'protobufjs/ext/protojson.js';
import textformat from 'protobufjs/ext/textformat.js';

import { SchemaError, reasonOf } from '../answers.js';
import { JSON_IGNORE_UNKNOWN_PARSING_TEST, WireFormat } from '../protocol.js';
import { versionOf } from './packages.js';
import { ProtobufjsObserver } from './protobufjs-observer.js';

/**
 * @typedef {import('./codecs.js').Lane} Lane
 * @typedef {import('../answers.js').Codec} Codec
 */

const ABOUT = { runtime: 'protobufjs', runtimeVersion: versionOf('protobufjs') };

/** So that what JSON.stringify writes is as near to the JSON mapping as protobufjs's own options bring it. */
const JSON_CONVERSION = { longs: String, enums: String, bytes: String, json: true };

/** @type {Lane} */
export const protobufjs = {
  ...ABOUT,
  name: 'protobufjs',
  formats: [WireFormat.PROTOBUF, WireFormat.JSON, WireFormat.TEXT_FORMAT],
  compile: compileWith(mappingCodec),
};

/** @type {Lane} */
export const protobufjsObject = {
  ...ABOUT,
  name: 'protobufjs-object',
  formats: [WireFormat.PROTOBUF, WireFormat.JSON],
  compile: compileWith(objectCodec),
};

/** @param {(type: protobuf.Type) => Pick<Codec, 'decoders' | 'encoders'>} jsonCodecOf @returns {Lane['compile']} */
function compileWith(jsonCodecOf) {
  return ({ fileDescriptorSet }) => {
    const root = build(toBinary(FileDescriptorSetSchema, fileDescriptorSet));
    const observer = new ProtobufjsObserver();
    return ({ typeName }) => {
      const type = root.lookupType(`.${typeName}`);
      const { decoders, encoders } = jsonCodecOf(type);
      return {
        decoders: { ...decoders, protobuf_payload: (payload) => type.decode(payload) },
        encoders: { ...encoders, [WireFormat.PROTOBUF]: (message) => type.encode(message).finish() },
        observe: (writer, message) => observer.observe(writer, type, message),
      };
    };
  };
}

/** @param {Uint8Array} fileDescriptorSet */
function build(fileDescriptorSet) {
  try {
    return protobuf.Root.fromDescriptor(fileDescriptorSet).resolveAll();
  } catch (error) {
    throw new SchemaError(`protobufjs cannot build the schema: ${reasonOf(error)}`);
  }
}

/** @param {protobuf.Type} type @returns {Pick<Codec, 'decoders' | 'encoders'>} */
function mappingCodec(type) {
  const utf8 = new TextDecoder();
  /** @param {string} text @param {import('../protocol.js').Request} request */
  const decodeJson = (text, { testCategory }) =>
    protojson.fromJsonString(type, text, { ignoreUnknownFields: testCategory === JSON_IGNORE_UNKNOWN_PARSING_TEST });
  return {
    decoders: {
      json_payload: (payload, request) => decodeJson(payload.toString(), request),
      raw_json_payload: (payload, request) => decodeJson(utf8.decode(payload), request),
      text_payload: (payload) => textformat.fromText(type, payload.toString()),
    },
    encoders: {
      [WireFormat.JSON]: (message) => protojson.toJsonString(type, message),
      [WireFormat.TEXT_FORMAT]: (message, { printUnknownFields }) =>
        textformat.toText(type, message, { unknowns: printUnknownFields }),
    },
  };
}

/** @param {protobuf.Type} type @returns {Pick<Codec, 'decoders' | 'encoders'>} */
function objectCodec(type) {
  const utf8 = new TextDecoder();
  return {
    decoders: {
      json_payload: (payload) => type.fromObject(JSON.parse(payload.toString())),
      raw_json_payload: (payload) => type.fromObject(JSON.parse(utf8.decode(payload))),
    },
    encoders: { [WireFormat.JSON]: (message) => JSON.stringify(type.toObject(message, JSON_CONVERSION)) },
  };
}
