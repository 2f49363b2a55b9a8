import assert from 'node:assert/strict';
import { test } from 'node:test';

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

import {
  LoadSchemaSchema,
  ObservationSchema,
  RequestSchema,
  ResponseSchema,
  SchemaLoadedSchema,
  StubDescriptionSchema,
  WireFormat as GeneratedWireFormat,
} from '../gen/counterfoil/stub/v1/stub_pb.js';
import * as observation from '../src/observation.js';
import {
  OBSERVATION_TAG,
  RESULT_TAGS,
  SEQUENCE_TAG,
  WireFormat,
  readLoadSchema,
  readRequest,
  writeDescription,
  writeSchemaLoaded,
} from '../src/protocol.js';
import { Malformed } from '../src/reader.js';
import { Writer } from '../src/writer.js';

/** @param {(writer: Writer) => void} write @returns {Buffer} */
function written(write) {
  const writer = new Writer();
  const start = writer.beginFrame();
  write(writer);
  writer.endFrame(start);
  return writer.takeFrames().subarray(4);
}

const FULL = create(RequestSchema, {
  requestedOutputFormat: GeneratedWireFormat.JSON,
  messageType: 'shop.v1.Money',
  testCategory: 3,
  printUnknownFields: true,
  lane: 'a lane',
  sequence: 2n ** 64n - 1n,
  schemaId: 'ü'.repeat(200),
  observe: true,
});

test('a request is read as the generated code writes it', () => {
  const payloads = /** @type {const} */ ([
    ['protobufPayload', 'protobuf_payload', Uint8Array.of(1, 2, 0xff)],
    ['jsonPayload', 'json_payload', '{"ü": 1}'],
    ['jspbPayload', 'jspb_payload', 'x'],
    ['textPayload', 'text_payload', 'a: 1'],
    ['rawJsonPayload', 'raw_json_payload', Uint8Array.of(0xff)],
  ]);
  for (const [name, kind, value] of payloads) {
    FULL.payload = /** @type {typeof FULL.payload} */ ({ case: name, value });
    const { payload, ...rest } = readRequest(Buffer.from(toBinary(RequestSchema, FULL)));
    assert.deepEqual(payload, Buffer.from(/** @type {Uint8Array} */ (value)));
    assert.deepEqual(rest, {
      kind,
      outputFormat: 2,
      messageType: FULL.messageType,
      testCategory: 3,
      printUnknownFields: true,
      lane: FULL.lane,
      sequence: FULL.sequence,
      schemaId: FULL.schemaId,
      observe: true,
    });
  }
  assert.equal(readRequest(Buffer.alloc(0)).kind, '');
});

test('sequences of any size are read and written', () => {
  for (let bit = 0n; bit < 64n; bit += 1n) {
    const sequence = 2n ** bit;
    const bytes = Buffer.from(toBinary(RequestSchema, create(RequestSchema, { sequence })));
    assert.equal(readRequest(bytes).sequence, sequence);
    const response = written((writer) => {
      writer.varint(SEQUENCE_TAG);
      writer.varint64(sequence);
    });
    assert.equal(fromBinary(ResponseSchema, response).sequence, sequence);
  }
});

test('unknown fields of every wire type, and known ones of another, are left out', () => {
  const writer = new BinaryWriter();
  writer
    .tag(500, WireType.Varint)
    .uint64(2n ** 63n)
    .tag(501, WireType.Bit64)
    .fixed64(1n);
  writer.tag(502, WireType.LengthDelimited).string('x').tag(503, WireType.Bit32).fixed32(1);
  writer.tag(504, WireType.StartGroup).tag(1, WireType.Varint).uint32(1);
  writer.tag(2, WireType.StartGroup).tag(2, WireType.EndGroup).tag(504, WireType.EndGroup);
  writer.tag(1, WireType.Varint).uint32(5).tag(102, WireType.LengthDelimited).string('x');
  const known = create(RequestSchema, { messageType: 'M' });
  const request = readRequest(Buffer.concat([writer.finish(), toBinary(RequestSchema, known)]));
  assert.deepEqual([request.kind, request.messageType, request.sequence], ['', 'M', 0n]);
});

test('what is no request is refused', () => {
  const garbage = {
    'cut in a tag': [0x80],
    'cut in a number': [0x18, 0x80],
    'cut in a payload': [0x0a, 5, 1],
    'cut in a fixed number': [0x09, 1],
    'number of eleven bytes': [0x18, ...Array(10).fill(0x80), 1],
    'field 0': [0x00, 1],
    'wire type 7': [0x0f],
    'end of no group': [0x0c],
    'group without end': [0x0b],
    'group with another end': [0x0b, 0x14],
    'groups too deep': Array(200).fill(0x0b),
    'invalid UTF-8': [0x22, 1, 0xff],
    'invalid UTF-8 in JSON': [0x12, 1, 0xff],
  };
  for (const [name, bytes] of Object.entries(garbage)) {
    assert.throws(() => readRequest(Buffer.from(bytes)), Malformed, name);
  }
});

test('random bytes are a request or malformed, and nothing else', () => {
  let state = 1;
  for (let round = 0; round < 20_000; round += 1) {
    const bytes = Buffer.alloc(round % 24);
    for (let index = 0; index < bytes.length; index += 1) {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      bytes[index] = state >>> 24;
    }
    try {
      readRequest(bytes);
    } catch (error) {
      assert.ok(error instanceof Malformed, bytes.toString('hex'));
    }
  }
});

test('the numbers of fields and formats are those of the schema', () => {
  const { json_payload, ...results } = RESULT_TAGS;
  for (const [name, tag] of [...Object.entries({ json_payload, ...results }), ['observation', OBSERVATION_TAG]]) {
    const number = ResponseSchema.fields.find((field) => field.name === name)?.number ?? 0;
    assert.equal(tag, (number << 3) | WireType.LengthDelimited, `${name}`);
  }
  const { UNSPECIFIED, PROTOBUF, JSON, JSPB, TEXT_FORMAT } = GeneratedWireFormat;
  assert.deepEqual(WireFormat, { UNSPECIFIED, PROTOBUF, JSON, JSPB, TEXT_FORMAT });
});

test('a schema to load, a description and a count are as the generated code has them', () => {
  const asked = { id: 'shop', fileDescriptorSet: Uint8Array.of(1, 2, 3) };
  const bytes = Buffer.from(toBinary(LoadSchemaSchema, create(LoadSchemaSchema, asked)));
  assert.deepEqual(readLoadSchema(bytes), { ...asked, fileDescriptorSet: Buffer.from(asked.fileDescriptorSet) });
  const loaded = fromBinary(
    SchemaLoadedSchema,
    written((writer) => writeSchemaLoaded(writer, 300)),
  );
  assert.equal(loaded.messageCount, 300);
  const description = {
    language: 'javascript',
    runtime: 'some',
    runtimeVersion: '1.2',
    lanes: ['a', 'b'],
    messageTypes: ['x.Y'],
    formats: [1, 2, 4],
    loadsSchemas: true,
  };
  const { $typeName, ...read } = fromBinary(
    StubDescriptionSchema,
    written((writer) => writeDescription(writer, description)),
  );
  assert.deepEqual(read, { ...description, protocolVersion: 1, observes: true });
});

test('what is longer than its reserved length stays whole', () => {
  for (const length of [0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152]) {
    const bytes = new Uint8Array(length).fill(5);
    const list = written((writer) => observation.writeList(writer, [bytes, bytes], observation.writeBinary, 0));
    const { seen } = fromBinary(ObservationSchema, list);
    assert.equal(seen.case, 'list');
    assert.deepEqual(
      seen.value.items.map(({ seen: item }) => Uint8Array.from(/** @type {Uint8Array} */ (item.value))),
      [bytes, bytes],
    );
  }
});
