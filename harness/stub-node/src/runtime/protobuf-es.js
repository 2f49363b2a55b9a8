/** The lane `protobuf-es`: @bufbuild/protobuf. */

import { fromBinary, fromJsonString, toBinary, toJsonString } from '@bufbuild/protobuf';
import { fromText, toText } from '@bufbuild/protobuf/txtpb';

import { JSON_IGNORE_UNKNOWN_PARSING_TEST, WireFormat } from '../protocol.js';
import { versionOf } from './packages.js';
import { ProtobufEsObserver } from './protobuf-es-observer.js';

/** @type {import('./codecs.js').Lane} */
export const protobufEs = {
  name: 'protobuf-es',
  runtime: '@bufbuild/protobuf',
  runtimeVersion: versionOf('@bufbuild/protobuf'),
  formats: [WireFormat.PROTOBUF, WireFormat.JSON, WireFormat.TEXT_FORMAT],
  compile: ({ registry }) => {
    const observer = new ProtobufEsObserver(registry);
    return (desc) => codecOf(desc, registry, observer);
  },
};

/**
 * @param {import('@bufbuild/protobuf').DescMessage} desc
 * @param {import('@bufbuild/protobuf').Registry} registry
 * @param {ProtobufEsObserver} observer
 * @returns {import('../answers.js').Codec}
 */
function codecOf(desc, registry, observer) {
  const strict = { registry };
  const lenient = { registry, ignoreUnknownFields: true };
  // As @connectrpc/connect does it: invalid UTF-8 is replaced, a byte order mark is dropped.
  const utf8 = new TextDecoder();
  /** @param {string} text @param {import('../protocol.js').Request} request */
  const decodeJson = (text, { testCategory }) =>
    fromJsonString(desc, text, testCategory === JSON_IGNORE_UNKNOWN_PARSING_TEST ? lenient : strict);
  return {
    decoders: {
      protobuf_payload: (payload) => fromBinary(desc, payload),
      json_payload: (payload, request) => decodeJson(payload.toString(), request),
      raw_json_payload: (payload, request) => decodeJson(utf8.decode(payload), request),
      text_payload: (payload) => fromText(desc, payload.toString(), strict),
    },
    encoders: {
      [WireFormat.PROTOBUF]: (message) => toBinary(desc, message),
      [WireFormat.JSON]: (message) => toJsonString(desc, message, strict),
      [WireFormat.TEXT_FORMAT]: (message, { printUnknownFields }) =>
        toText(desc, message, { registry, printUnknownFields }),
    },
    observe: (writer, message) => observer.observe(writer, desc, message),
  };
}
