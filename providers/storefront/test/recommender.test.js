import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fromJsonString } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';

import { GetRecommendationsResponseSchema } from '../gen/shop/v1/recommendation_pb.js';
import { RecommenderRefused, RecommenderUnavailable } from '../src/errors.js';
import { createGrpcRecommender } from '../src/recommender-grpc.js';
import { createHttpRecommender } from '../src/recommender-http.js';
import { fullResponse, fullResponseRead } from './examples.js';
import { grpcRecommender, httpRecommender } from './recommender-doubles.js';

const TIMEOUT_MS = 5000;
const SHORT_MS = 100;
const query = { user: { id: 9007199254741057n, attributes: {} }, categories: ['books'] };

/**
 * @param {import('node:test').TestContext} t
 * @param {typeof createHttpRecommender} createRecommender
 * @param {URL} url
 * @param {number} [timeoutMs]
 */
function client(t, createRecommender, url, timeoutMs = TIMEOUT_MS) {
  const recommender = createRecommender({ url, timeoutMs });
  t.after(() => recommender.close());
  return recommender;
}

test('HTTP: the question is posted below the base URL, the answer is read', async (t) => {
  /** @type {unknown[]} */
  const seen = [];
  const url = await httpRecommender(t, (request, response) => {
    seen.push(request);
    response.end(JSON.stringify(fullResponse));
  });
  const recommender = client(t, createHttpRecommender, new URL('/base/', url));
  assert.deepEqual(await recommender.getRecommendations(query), fullResponseRead);
  const body = '{"userContext":{"userId":"9007199254741057","attributes":{}},"categories":["books"]}';
  assert.deepEqual(seen, [{ method: 'POST', url: '/base/v1/recommendations', body }]);
});

test('HTTP: a refusal carries the message of the recommender', async (t) => {
  const url = await httpRecommender(t, (_request, response) => {
    response.writeHead(400).end('{"error":{"code":"INVALID_ARGUMENT","message":"limit must be from 1 to 50"}}');
  });
  const { getRecommendations } = client(t, createHttpRecommender, url);
  await assert.rejects(getRecommendations(query), new RecommenderRefused('limit must be from 1 to 50'));
});

/** @type {Record<string, [(response: import('node:http').ServerResponse) => void, RegExp]>} */
const brokenAnswers = {
  'a status of 500': [(response) => response.writeHead(500).end('{}'), /^it answered with status 500$/],
  'a redirect': [(response) => response.writeHead(302, { location: '/' }).end(), /redirect/],
  'a page': [(response) => response.end('<html>'), /^its answer is unreadable: not JSON/],
  'a refusal without a message': [(response) => response.writeHead(400).end('{}'), /^its answer is unreadable: error/],
  'another message': [(response) => response.end('{"requestId":1}'), /^its answer is unreadable: requestId/],
  'too much': [(response) => response.end(Buffer.alloc(1024 * 1024 + 1, ' ')), /larger than 1048576 bytes/],
  'half an answer': [
    (response) => response.writeHead(200, { 'content-length': 9 }).end('{', () => response.destroy()),
    /./,
  ],
  silence: [() => {}, /timeout/],
  'headers, then silence': [(response) => response.writeHead(200).flushHeaders(), /timeout/],
};

for (const [name, [answer, reason]] of Object.entries(brokenAnswers)) {
  test(`HTTP: ${name} means unavailable`, async (t) => {
    const url = await httpRecommender(t, (_request, response) => answer(response));
    const patient = reason.source !== 'timeout';
    const { getRecommendations } = client(t, createHttpRecommender, url, patient ? TIMEOUT_MS : SHORT_MS);
    await assert.rejects(getRecommendations(query), (error) => {
      assert.ok(error instanceof RecommenderUnavailable);
      assert.match(error.message, reason);
      return true;
    });
  });
}

test('gRPC: the question is asked and the answer is read as over HTTP', async (t) => {
  /** @type {unknown[]} */
  const seen = [];
  const url = await grpcRecommender(t, ({ userContext, limit, categories }) => {
    seen.push({ userId: userContext?.userId, locale: userContext?.locale, limit, categories });
    return fromJsonString(GetRecommendationsResponseSchema, JSON.stringify(fullResponse));
  });
  assert.deepEqual(await client(t, createGrpcRecommender, url).getRecommendations(query), fullResponseRead);
  assert.deepEqual(seen, [{ userId: 9007199254741057n, locale: undefined, limit: undefined, categories: ['books'] }]);
});

test('gRPC: an invalid argument is a refusal with the message of the recommender', async (t) => {
  const url = await grpcRecommender(t, () => {
    throw new ConnectError('limit must be from 1 to 50', Code.InvalidArgument);
  });
  const { getRecommendations } = client(t, createGrpcRecommender, url);
  await assert.rejects(getRecommendations(query), new RecommenderRefused('limit must be from 1 to 50'));
});

test('gRPC: any other failure means unavailable', async (t) => {
  const answers = [
    () => Promise.reject(new ConnectError('down', Code.Unavailable)),
    () => Promise.reject(new ConnectError('bug', Code.Internal)),
    () => ({ recommendations: [{}] }),
    () => ({ requestId: 'x'.repeat(1024 * 1024) }),
  ];
  const url = await grpcRecommender(t, () => answers.shift()?.() ?? {});
  const { getRecommendations } = client(t, createGrpcRecommender, url);
  while (answers.length > 0) await assert.rejects(getRecommendations(query), RecommenderUnavailable);
});

test('gRPC: silence means unavailable', async (t) => {
  const url = await grpcRecommender(t, (_request, signal) => {
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  const { getRecommendations } = client(t, createGrpcRecommender, url, SHORT_MS);
  await assert.rejects(getRecommendations(query), RecommenderUnavailable);
});

test('nobody listens: unavailable', async (t) => {
  const url = new URL('http://127.0.0.1:2');
  for (const create of [createHttpRecommender, createGrpcRecommender]) {
    const { getRecommendations } = client(t, create, url);
    await assert.rejects(getRecommendations(query), (error) => {
      assert.ok(error instanceof RecommenderUnavailable);
      assert.match(error.message, /ECONNREFUSED/);
      return true;
    });
  }
});
