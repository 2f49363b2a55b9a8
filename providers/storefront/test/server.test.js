import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RecommenderRefused, RecommenderUnavailable } from '../src/errors.js';
import { ProfileStore } from '../src/profile-store.js';
import { buildServer } from '../src/server.js';
import { fullResponseRead } from './examples.js';

/** @typedef {import('../src/recommendation.js').RecommendationQuery} RecommendationQuery */

const ID = '9007199254740993';

/** @type {import('../src/profile.js').Profile} */
const amelie = {
  id: BigInt(ID),
  displayName: 'Amelie Brandt',
  nickname: '',
  tier: 'TIER_PREMIUM',
  priceSensitivity: null,
  categoryAffinity: { books: 0.9 },
  memberSince: '2019-03-14T08:15:30Z',
  lastOrderId: null,
  contact: { phone: '+49 30 1' },
};

/**
 * @param {import('node:test').TestContext} t
 * @param {object} [options]
 * @param {(query: RecommendationQuery) => typeof fullResponseRead} [options.answer]
 * @param {boolean} [options.providerStatesEnabled]
 */
async function serve(t, { answer = () => fullResponseRead, providerStatesEnabled = true } = {}) {
  /** @type {{ transport: string, query: RecommendationQuery }[]} */
  const asked = [];
  /** @type {string[]} */
  const logged = [];
  const recommender = (/** @type {string} */ transport) => ({
    getRecommendations: async (/** @type {RecommendationQuery} */ query) => {
      asked.push({ transport, query });
      return answer(query);
    },
    close() {},
  });
  const app = await buildServer({
    profiles: new ProfileStore([amelie]),
    recommenders: { HTTP: recommender('HTTP'), GRPC: recommender('GRPC') },
    providerStatesEnabled,
    log: (line) => logged.push(line),
  });
  t.after(() => app.close());
  const post = async (/** @type {string} */ url, /** @type {unknown} */ body, headers = {}) => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await app.inject({
      method: 'POST',
      url,
      payload,
      headers: { 'content-type': 'application/json', ...headers },
    });
    return { status: response.statusCode, body: response.json() };
  };
  const get = async (/** @type {string} */ url) => {
    const response = await app.inject(url);
    return { status: response.statusCode, body: response.json() };
  };
  const graphql = async (/** @type {string} */ query, variables = {}, headers = {}) =>
    post('/graphql', { query, variables }, headers);
  return { asked, logged, post, get, graphql };
}

/** @param {number} status @param {string} code @param {string} message */
const failed = (status, code, message) => ({ status, body: { error: { code, message } } });

test('a profile is found, not found, or asked for wrongly', async (t) => {
  const { get } = await serve(t);
  const { status, body } = await get(`/profiles/${ID}`);
  assert.equal(status, 200);
  assert.equal(body.id, ID);
  assert.equal(body.phone, '+49 30 1');
  assert.deepEqual(
    await get('/profiles/9007199254740992'),
    failed(404, 'NOT_FOUND', 'there is no profile 9007199254740992'),
  );
  for (const id of ['0', 'abc', '', '9223372036854775808', '9'.repeat(400), '%00']) {
    const expected = failed(400, 'INVALID_ARGUMENT', 'the id of a profile is a positive 64-bit integer in decimal');
    assert.deepEqual(await get(`/profiles/${id}`), expected, id);
  }
});

test('what is not served is answered in the shape of every error', async (t) => {
  const { get, post } = await serve(t);
  assert.deepEqual(await get('/nothing'), failed(404, 'NOT_FOUND', 'no such resource'));
  assert.equal((await get('/profiles/%zz')).body.error.code, 'INVALID_ARGUMENT');
  assert.equal((await post('/graphql', '{')).body.error.code, 'INVALID_ARGUMENT');
  assert.equal((await post('/graphql', '[1]')).body.error.code, 'INVALID_ARGUMENT');
  assert.equal(
    (await post('/graphql', '{}', { 'content-type': 'text/plain' })).body.error.code,
    'UNSUPPORTED_MEDIA_TYPE',
  );
  assert.equal((await post('/graphql', ' '.repeat(1024 * 1024 + 1))).body.error.code, 'PAYLOAD_TOO_LARGE');
});

const EVERYTHING = `query ($user: ID, $transport: Transport! = HTTP) {
  recommendations(userId: $user, transport: $transport, limit: 3, categories: ["books"]) {
    requestId generatedAt
    items {
      score confidence reason
      product { id name category availability discount price { currencyCode units nanos } }
      finalPrice { currencyCode units nanos }
    }
  }
}`;

test('recommendations come with their final price, over the transport that was asked for', async (t) => {
  const { graphql, asked } = await serve(t);
  const headers = { 'accept-language': 'de-DE', 'sec-ch-ua-mobile': '?1' };
  const overHttp = await graphql(EVERYTHING, { user: ID }, headers);
  const overGrpc = await graphql(EVERYTHING, { user: ID, transport: 'GRPC' }, headers);
  assert.deepEqual(overHttp, overGrpc);
  const [item] = overHttp.body.data.recommendations.items;
  assert.equal(item.product.id, ID);
  assert.deepEqual(item.product.price, { currencyCode: 'EUR', units: '12', nanos: 990_000_000 });
  assert.deepEqual(item.finalPrice, { currencyCode: 'EUR', units: '9', nanos: 742_500_000 });
  const user = { id: BigInt(ID), locale: 'de-DE', attributes: { device: 'phone' } };
  const query = { user, limit: 3, categories: ['books'] };
  assert.deepEqual(asked, [
    { transport: 'HTTP', query },
    { transport: 'GRPC', query },
  ]);
});

test('arguments that are left out or null are not passed on', async (t) => {
  const { graphql, asked } = await serve(t);
  await graphql('{ recommendations { requestId } }');
  await graphql('{ recommendations(userId: null, limit: null, categories: null) { requestId } }');
  const nothing = { transport: 'HTTP', query: { categories: [] } };
  assert.deepEqual(asked, [nothing, nothing]);
});

test('an id in a query keeps its digits as a string and as a number', async (t) => {
  const { graphql, post } = await serve(t);
  const found = { status: 200, body: { data: { profile: { id: ID } } } };
  assert.deepEqual(await graphql(`{ profile(id: ${ID}) { id } }`), found);
  const query = 'query ($id: ID!) { profile(id: $id) { id } }';
  assert.deepEqual(await graphql(query, { id: ID }), found);
  assert.deepEqual(await post('/graphql', `{"query":${JSON.stringify(query)},"variables":{"id":${ID}}}`), found);
});

test('each field of a profile can be asked for', async (t) => {
  const { graphql } = await serve(t);
  const fields = 'displayName nickname tier priceSensitivity memberSince lastOrderId email phone';
  const { body } = await graphql(`{ profile(id: "${ID}") { ${fields} categoryAffinity { category affinity } } }`);
  assert.deepEqual(body.data.profile, {
    displayName: 'Amelie Brandt',
    nickname: '',
    tier: 'TIER_PREMIUM',
    priceSensitivity: null,
    memberSince: '2019-03-14T08:15:30Z',
    lastOrderId: null,
    email: null,
    phone: '+49 30 1',
    categoryAffinity: [{ category: 'books', affinity: 0.9 }],
  });
  assert.deepEqual((await graphql('{ profile(id: 7) { id } }')).body, { data: { profile: null } });
});

/** @type {[Error, string, string, RegExp?][]} */
const failures = [
  [
    new RecommenderUnavailable('secret detail'),
    'RECOMMENDER_UNAVAILABLE',
    'the recommender is unavailable',
    /secret detail/,
  ],
  [new RecommenderRefused('limit must be from 1 to 50'), 'BAD_USER_INPUT', 'limit must be from 1 to 50'],
  [new TypeError('secret detail'), 'INTERNAL', 'internal error', /recommendations: secret detail/],
];

for (const [error, code, message, log] of failures) {
  test(`a failing recommender: ${code}`, async (t) => {
    const { graphql, logged } = await serve(t, {
      answer: () => {
        throw error;
      },
    });
    const { status, body } = await graphql('{ recommendations { requestId } }');
    assert.equal(status, 200);
    assert.equal(body.data, null);
    const [{ locations, ...shown }, ...others] = body.errors;
    assert.deepEqual(locations, [{ line: 1, column: 3 }]);
    assert.deepEqual(shown, { message, path: ['recommendations'], extensions: { code } });
    assert.deepEqual(others, []);
    assert.equal(logged.length, log ? 1 : 0);
    if (log) assert.match(logged[0] ?? '', log);
  });
}

test('an id that is none is bad input, and nobody is asked', async (t) => {
  const { graphql, asked } = await serve(t);
  for (const field of ['recommendations(userId: "x") { requestId }', 'profile(id: 0) { id }']) {
    assert.equal((await graphql(`{ ${field} }`)).body.errors[0].extensions.code, 'BAD_USER_INPUT');
  }
  assert.deepEqual(asked, []);
});

test('a query that is invalid, too deep or too wide is refused', async (t) => {
  const { graphql, asked } = await serve(t);
  const aliases = Array.from({ length: 11 }, (_, index) => `f${index}: recommendations { requestId }`);
  const hidden = `{ ...all } fragment all on Query { ${aliases.join(' ')} }`;
  const wide = `{ recommendations { ${'requestId '.repeat(2001)} } }`;
  const tree = JSON.stringify({ kind: 'Document', definitions: [] });
  for (const query of ['{', '{ nope }', '', tree, `{ ${aliases.join(' ')} }`, hidden, wide]) {
    const { status, body } = await graphql(query);
    assert.equal(status, 400);
    assert.equal(body.errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED', query);
  }
  assert.deepEqual(asked, []);
  assert.equal((await graphql(`{ ${aliases.slice(1).join(' ')} }`)).status, 200);
});

const STATES = '/_pact/provider-states';

test('provider states add up until a teardown', async (t) => {
  const { get, post } = await serve(t);
  const params = {
    nickname: null,
    priceSensitivity: 0,
    lastOrderId: '9100000000000000417',
    email: 'robin@example.com',
  };
  const done = { status: 200, body: {} };
  assert.deepEqual(
    await post(STATES, { state: 'a user exists', params: { ...params, id: '7' }, action: 'setup' }),
    done,
  );
  assert.deepEqual(await post(STATES, { state: 'no user exists', params: { id: ID }, action: 'setup' }), done);
  assert.deepEqual(await post(STATES, { state: '', action: 'setup' }), done);
  const { body } = await get('/profiles/7');
  assert.deepEqual({ ...body, ...params }, body);
  assert.equal((await get(`/profiles/${ID}`)).status, 404);
  assert.deepEqual(await post(STATES, { state: 'no user exists', params: { id: ID }, action: 'teardown' }), done);
  assert.equal((await get('/profiles/7')).status, 404);
  assert.equal((await get(`/profiles/${ID}`)).status, 200);
});

test('a state that is unknown or does not fit is an error', async (t) => {
  const { post } = await serve(t);
  for (const state of ['a usr exists', 'toString']) {
    assert.equal((await post(STATES, { state, action: 'setup' })).body.error.code, 'UNKNOWN_STATE');
  }
  const both = { id: '7', email: 'a@example.com', phone: '1' };
  for (const params of [undefined, { id: 'x' }, { id: '7', nicname: 'R' }, both]) {
    const { status, body } = await post(STATES, { state: 'a user exists', params, action: 'setup' });
    assert.deepEqual([status, body.error.code], [400, 'INVALID_ARGUMENT']);
  }
});

test('without the switch there are no provider states', async (t) => {
  const { post } = await serve(t, { providerStatesEnabled: false });
  assert.equal((await post(STATES, { state: '', action: 'setup' })).status, 404);
});
