import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

import { create, fromJson, toBinary } from '@bufbuild/protobuf';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

import { GetRecommendationsRequestSchema, GetRecommendationsResponseSchema } from '../gen/shop/v1/recommendation_pb.js';
import { fullResponse } from './examples.js';

const STUB = fileURLToPath(new URL('../src/stub.js', import.meta.url));
/** The fields of counterfoil.stub.v1 that are used here. */
const PROTOBUF_PAYLOAD = 1;
const OUTPUT_FORMAT = 3;
const MESSAGE_TYPE = 4;
const RAW_JSON_PAYLOAD = 100;
const OBSERVATION = 101;
const OBSERVE = 104;
const PARSE_ERROR = 1;
const PROTOBUF_RESULT = 3;
const JSON_RESULT = 4;
const SKIPPED = 5;
const PROTOBUF = 1;
const JSON_FORMAT = 2;

/**
 * @param {string} messageType
 * @param {Uint8Array | object} payload binary, or what is to be written as JSON
 * @param {number} [outputFormat]
 */
function request(messageType, payload, outputFormat = 0) {
  const isBinary = payload instanceof Uint8Array;
  return new BinaryWriter()
    .tag(isBinary ? PROTOBUF_PAYLOAD : RAW_JSON_PAYLOAD, WireType.LengthDelimited)
    .bytes(isBinary ? payload : Buffer.from(JSON.stringify(payload)))
    .tag(MESSAGE_TYPE, WireType.LengthDelimited)
    .string(`shop.v1.${messageType}`)
    .tag(OUTPUT_FORMAT, WireType.Varint)
    .int32(outputFormat)
    .tag(OBSERVE, WireType.Varint)
    .bool(true)
    .finish();
}

/** @param {Uint8Array} bytes @returns {Record<number, Buffer>} the fields of type string, bytes and message */
function fieldsOf(bytes) {
  /** @type {Record<number, Buffer>} */
  const fields = {};
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [fieldNumber, wireType] = reader.tag();
    if (wireType === WireType.LengthDelimited) fields[fieldNumber] = Buffer.from(reader.bytes());
    else reader.skip(wireType);
  }
  return fields;
}

/** @param {Uint8Array[]} requests @returns {Promise<Record<number, Buffer>[]>} a response to each */
async function ask(...requests) {
  const child = spawn(process.execPath, [STUB], { timeout: 20_000 });
  for (const bytes of requests) child.stdin.write(new BinaryWriter().fixed32(bytes.length).raw(bytes).finish());
  child.stdin.end();
  const [stdout, stderr, [code]] = await Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')]);
  assert.deepEqual([stderr, code], ['', 0]);
  const responses = [];
  for (let position = 0; position < stdout.length;) {
    const end = position + 4 + stdout.readUInt32LE(position);
    responses.push(fieldsOf(stdout.subarray(position + 4, end)));
    position = end;
  }
  assert.equal(responses.length, requests.length);
  return responses;
}

/** @param {Record<number, Buffer> | undefined} response @param {number} result */
const textOf = (response, result) => response?.[result]?.toString();

test('a profile comes back as it was, null and absence apart', async () => {
  const profile = {
    id: '9007199254740993',
    displayName: 'Amelie Brandt',
    nickname: null,
    tier: 'TIER_PREMIUM',
    priceSensitivity: 0,
    categoryAffinity: {},
    memberSince: '2019-03-14T08:15:30.123456789Z',
  };
  const profiles = [profile, { ...profile, nickname: '', lastOrderId: '1', phone: '+49' }];
  const answers = await ask(...profiles.map((written) => request('UserProfile', written, JSON_FORMAT)));
  for (const [index, written] of profiles.entries()) {
    assert.deepEqual(JSON.parse(textOf(answers[index], RAW_JSON_PAYLOAD) ?? ''), written);
  }
});

test('a response is seen alike over both transports, and is never written', async () => {
  const binary = toBinary(GetRecommendationsResponseSchema, fromJson(GetRecommendationsResponseSchema, fullResponse));
  const [json, generated, unwritten] = await ask(
    request('GetRecommendationsResponse', { ...fullResponse, generatedAt: '2026-05-04T03:02:01.250Z' }),
    request('GetRecommendationsResponse', binary),
    request('GetRecommendationsResponse', binary, PROTOBUF),
  );
  assert.ok((json?.[OBSERVATION]?.length ?? 0) > 100);
  assert.deepEqual(generated?.[OBSERVATION], json?.[OBSERVATION]);
  assert.match(textOf(unwritten, SKIPPED) ?? '', /does not write/);
});

test('what the storefront refuses is refused with its reason', async () => {
  const [json, binary] = await ask(
    request('GetRecommendationsResponse', { recommendations: [] }),
    request('GetRecommendationsResponse', Buffer.from([0x12, 0])),
  );
  assert.match(textOf(json, PARSE_ERROR) ?? '', /^requestId: /);
  assert.equal(textOf(binary, PARSE_ERROR), 'a recommendation without a product or a price');
});

test('a query is written as the clients write it', async () => {
  const anonymous = toBinary(GetRecommendationsRequestSchema, create(GetRecommendationsRequestSchema));
  const full = { userContext: { userId: '9007199254740993', locale: 'de', attributes: { device: 'phone' } }, limit: 3 };
  const [bare, signedIn, generated] = await ask(
    request('GetRecommendationsRequest', anonymous, JSON_FORMAT),
    request('GetRecommendationsRequest', { ...full, categories: ['books'] }, JSON_FORMAT),
    request('GetRecommendationsRequest', full, PROTOBUF),
  );
  assert.equal(textOf(bare, JSON_RESULT), '{"categories":[]}');
  assert.deepEqual(JSON.parse(textOf(signedIn, RAW_JSON_PAYLOAD) ?? ''), { ...full, categories: ['books'] });
  assert.deepEqual(
    generated?.[PROTOBUF_RESULT],
    Buffer.from(toBinary(GetRecommendationsRequestSchema, fromJson(GetRecommendationsRequestSchema, full))),
  );
});
