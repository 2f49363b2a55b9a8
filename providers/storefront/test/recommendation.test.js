import assert from 'node:assert/strict';
import { test } from 'node:test';

import { create, fromJsonString, toJson } from '@bufbuild/protobuf';

import { GetRecommendationsRequestSchema, GetRecommendationsResponseSchema } from '../gen/shop/v1/recommendation_pb.js';
import { UnreadableMessage } from '../src/errors.js';
import {
  readErrorMessage,
  readRecommendationsResponse,
  writeRecommendationsRequest,
} from '../src/recommendation-json.js';
import { fromResponseMessage, toRequestMessage } from '../src/recommendation-proto.js';
import { fullResponse, fullResponseRead } from './examples.js';

/** @param {unknown} value */
const read = (value) => readRecommendationsResponse(Buffer.from(JSON.stringify(value)));

/** @param {object} productChange @param {object} [change] */
const changed = (productChange, change = {}) => {
  const [item] = fullResponse.recommendations;
  return {
    ...fullResponse,
    recommendations: [{ ...item, ...change, product: { ...item?.product, ...productChange } }],
  };
};

test('a response reads the same over both transports', () => {
  assert.deepEqual(read(fullResponse), fullResponseRead);
  const message = fromJsonString(GetRecommendationsResponseSchema, JSON.stringify(fullResponse));
  assert.deepEqual(fromResponseMessage(message), fullResponseRead);
});

test('a discount, confidence or reason is null, absent, zero or a value', () => {
  for (const [written, discount] of /** @type {const} */ ([
    [null, null],
    [undefined, null],
    [0, 0],
    [0.25, 0.25],
  ])) {
    const [item] = read(changed({ discount: written }, { confidence: written })).items;
    assert.equal(item?.product.discount, discount);
    assert.equal(item?.confidence, discount);
  }
  for (const [written, reason] of /** @type {const} */ ([
    [null, null],
    [undefined, null],
    ['', ''],
    ['x', 'x'],
  ])) {
    assert.equal(read(changed({}, { reason: written })).items[0]?.reason, reason);
  }
});

test('an id is read from a number too', () => {
  const text = JSON.stringify(fullResponse).replace('"9007199254740993"', '9007199254740993');
  assert.equal(readRecommendationsResponse(Buffer.from(text)).items[0]?.product.id, 9007199254740993n);
});

test('a newer availability is unspecified over both transports', () => {
  const json = read(changed({ availability: 'AVAILABILITY_RENTED' }));
  assert.equal(json.items[0]?.product.availability, 'AVAILABILITY_UNSPECIFIED');
  const message = fromJsonString(GetRecommendationsResponseSchema, JSON.stringify(changed({ availability: 77 })));
  assert.equal(fromResponseMessage(message).items[0]?.product.availability, 'AVAILABILITY_UNSPECIFIED');
});

test('a response that lacks what the shop needs is unreadable', () => {
  const broken = [
    changed({ id: null }),
    changed({ price: null }),
    changed({}, { score: 'high' }),
    { recommendations: [] },
    [],
  ];
  for (const response of broken) assert.throws(() => read(response), UnreadableMessage, JSON.stringify(response));
  for (const init of [{}, { product: {} }, { product: { price: {} }, score: Number.NaN }]) {
    const message = create(GetRecommendationsResponseSchema, { recommendations: [init] });
    assert.throws(() => fromResponseMessage(message), UnreadableMessage);
  }
  const late = create(GetRecommendationsResponseSchema, { generatedAt: { seconds: 2n ** 60n } });
  assert.throws(() => fromResponseMessage(late), UnreadableMessage);
});

test('an unset response is an empty list', () => {
  assert.deepEqual(read({ requestId: 'r-1' }), { requestId: 'r-1', generatedAt: null, items: [] });
  const message = create(GetRecommendationsResponseSchema, { requestId: 'r-1' });
  assert.deepEqual(fromResponseMessage(message), { requestId: 'r-1', generatedAt: null, items: [] });
});

test('a request leaves out the visitor who is not signed in, and the limit that was not asked for', () => {
  assert.equal(writeRecommendationsRequest({ categories: [] }), '{"categories":[]}');
});

test('a request says the same over both transports', () => {
  const user = { id: 9007199254741057n, attributes: { device: 'phone' } };
  const queries = [
    { categories: ['books'] },
    { user, limit: 5, categories: [] },
    { user: { ...user, locale: 'de-DE' }, limit: 0, categories: ['a', 'b'] },
  ];
  for (const query of queries) {
    const json = fromJsonString(GetRecommendationsRequestSchema, writeRecommendationsRequest(query));
    const message = toRequestMessage(query);
    assert.deepEqual(toJson(GetRecommendationsRequestSchema, json), toJson(GetRecommendationsRequestSchema, message));
    assert.equal(message.userContext?.userId, query.user?.id);
  }
});

test('an error names its message', () => {
  assert.equal(readErrorMessage(Buffer.from('{"error":{"code":"INVALID_ARGUMENT","message":"no"}}')), 'no');
  assert.throws(() => readErrorMessage(Buffer.from('{"error":"no"}')), UnreadableMessage);
});
