import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { before, test } from 'node:test';

import { RecommenderRefused } from '../src/errors.js';
import { PRODUCT_ID, errorLike, hold, pactFile, recommendationsLike } from './recommender-pact.js';

/**
 * @typedef {import('../src/recommendation.js').RecommendationList} RecommendationList
 * @typedef {import('./recommender-pact.js').Exchange} Exchange
 */

const USER_ID = '9007199254741057';

const signedIn = {
  query: { user: { id: BigInt(USER_ID), locale: 'de-DE', attributes: { device: 'phone' } }, limit: 5, categories: [] },
  requestBody: {
    userContext: { userId: USER_ID, locale: 'de-DE', attributes: { device: 'phone' } },
    limit: 5,
    categories: [],
  },
};
const anonymous = { query: { categories: [] }, requestBody: { categories: [] } };

/** @param {Record<string, string | number | null>} [change] @returns {Exchange['states'][number]} */
const product = (change = {}) => [
  'the catalogue holds a product',
  { id: PRODUCT_ID, name: 'The Left Hand of Darkness', category: 'books', discount: null, ...change },
];

/** @param {Record<string, string | number | null>} [change] @returns {Exchange['states'][number]} */
const scores = (change = {}) => [
  'the ranker scores every product',
  { score: 0.875, confidence: 0.5, explanation: 'Because you like books', ...change },
];

// Pact merges into the file that is there, and would keep interactions that are no longer tested.
before(() => rm(pactFile, { force: true }));

/**
 * @param {Exchange} exchange
 * @param {(list: RecommendationList) => void} check
 */
function reads(exchange, check) {
  test(exchange.description, () => hold(exchange, async (answer) => check(await answer)));
}

for (const [description, discount] of /** @type {const} */ ([
  ['a recommendation with a discount', 0.25],
  ['a recommendation with a discount of zero', 0],
  ['a recommendation without a discount', null],
])) {
  reads(
    {
      ...signedIn,
      description,
      states: [product({ discount }), scores()],
      responseBody: recommendationsLike({}, { discount }),
    },
    ({ items: [first] }) => assert.equal(first?.product.discount, discount),
  );
}

for (const [description, confidence] of /** @type {const} */ ([
  ['a recommendation with a confidence', 0.5],
  ['a recommendation with a confidence of zero', 0],
  ['a recommendation without a confidence', null],
])) {
  reads(
    {
      ...signedIn,
      description,
      states: [product(), scores({ confidence })],
      responseBody: recommendationsLike({ confidence }),
    },
    ({ items: [first] }) => assert.equal(first?.confidence, confidence),
  );
}

reads(
  {
    ...signedIn,
    description: 'a recommendation with a reason',
    states: [product(), scores()],
    responseBody: recommendationsLike({ reason: 'Because you like books' }),
  },
  ({ items: [first] }) => assert.equal(first?.reason, 'Because you like books'),
);

reads(
  {
    ...signedIn,
    description: 'a recommendation without a reason',
    states: [product(), scores({ explanation: null })],
    responseBody: recommendationsLike(),
  },
  ({ items: [first] }) => assert.equal(first?.reason, null),
);

reads(
  {
    ...signedIn,
    description: 'a recommendation while the ranker is unavailable',
    states: [product(), ['the ranker is unavailable']],
    responseBody: recommendationsLike({ confidence: null, reason: 'Popular right now' }),
  },
  ({ items: [first] }) => {
    assert.equal(first?.confidence, null);
    assert.equal(first?.reason, 'Popular right now');
  },
);

reads(
  {
    ...signedIn,
    description: 'a recommendation of a product on backorder',
    states: [product({ availability: 'AVAILABILITY_BACKORDER' }), scores()],
    responseBody: recommendationsLike({}, { availability: 'AVAILABILITY_BACKORDER' }),
  },
  ({ items: [first] }) => assert.equal(first?.product.availability, 'AVAILABILITY_BACKORDER'),
);

reads(
  {
    ...anonymous,
    description: 'a recommendation for an anonymous visitor',
    states: [product(), scores({ confidence: null, explanation: null })],
    responseBody: recommendationsLike({ confidence: null }),
  },
  ({ requestId, generatedAt, items }) => {
    assert.equal(requestId, 'r-7f3a');
    assert.equal(generatedAt, '2026-05-04T03:02:01.250Z');
    assert.equal(items.length, 1);
  },
);

reads(
  {
    description: 'a recommendation for a user whose session tells nothing',
    states: [product(), scores()],
    query: { user: { id: BigInt(USER_ID), attributes: {} }, categories: [] },
    requestBody: { userContext: { userId: USER_ID, attributes: {} }, categories: [] },
    responseBody: recommendationsLike(),
  },
  ({ items }) => assert.equal(items.length, 1),
);

reads(
  {
    description: 'a recommendation from two categories',
    states: [product({ category: 'garden' }), scores()],
    query: { limit: 50, categories: ['books', 'garden'] },
    requestBody: { limit: 50, categories: ['books', 'garden'] },
    responseBody: recommendationsLike({}, { category: 'garden' }),
  },
  ({ items: [first] }) => assert.equal(first?.product.category, 'garden'),
);

reads(
  {
    description: 'a recommendation with ids near the end of int64',
    states: [product({ id: '9223372036854775807' }), scores()],
    query: { user: { id: 9223372036854775805n, attributes: {} }, categories: [] },
    requestBody: { userContext: { userId: '9223372036854775805', attributes: {} }, categories: [] },
    responseBody: recommendationsLike({}, { id: '9223372036854775807' }),
  },
  ({ items: [first] }) => assert.equal(first?.product.id, 9223372036854775807n),
);

reads(
  {
    ...anonymous,
    description: 'no recommendations',
    states: [['the catalogue is empty']],
    responseBody: { ...recommendationsLike(), recommendations: [] },
  },
  ({ items }) => assert.deepEqual(items, []),
);

for (const limit of [0, 51]) {
  const description = `a refusal of a limit of ${limit}`;
  test(description, () =>
    hold(
      {
        description,
        states: [],
        query: { limit, categories: [] },
        requestBody: { limit, categories: [] },
        status: 400,
        responseBody: errorLike('limit must be from 1 to 50'),
      },
      (answer) => assert.rejects(answer, new RecommenderRefused('limit must be from 1 to 50')),
    ),
  );
}
