import { fileURLToPath } from 'node:url';

import { MatchersV3, PactV4 } from '@pact-foundation/pact';

import { createHttpRecommender } from '../src/recommender-http.js';

const { eachLike, equal, number, regex, string } = MatchersV3;

const CONSUMER = 'storefront';
const PROVIDER = 'recommender';
/** Not what is tested: a machine that builds other services meanwhile may be slow to answer. */
const TIMEOUT_MS = 60_000;
const ATTEMPTS = 5;

const pactDir = process.env.PACT_DIR || fileURLToPath(new URL('../../../contracts/pacts', import.meta.url));

export const pactFile = `${pactDir}/${CONSUMER}-${PROVIDER}.json`;

/** An int64 above 2^53, as the JSON mapping writes it. */
const INT64 = /^[1-9]\d{0,18}$/;
const RFC3339_UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/;
const AVAILABILITY = /^AVAILABILITY_(IN_STOCK|BACKORDER)$/;

export const PRODUCT_ID = '9007199254740993';

/**
 * @typedef {object} Exchange
 * @property {string} description
 * @property {[name: string, params?: import('@pact-foundation/pact/src/common/jsonTypes.js').JsonMap][]} states
 * @property {object} requestBody
 * @property {number} [status]
 * @property {object} responseBody
 * @property {import('../src/recommendation.js').RecommendationQuery} query
 */

/**
 * A response with recommendations like one example. What an interaction is about is given as an exact value, the rest
 * is matched by type.
 *
 * @param {Record<string, unknown>} [exact] fields of the recommendation
 * @param {Record<string, unknown>} [exactProduct] fields of its product
 */
export function recommendationsLike(exact = {}, exactProduct = {}) {
  return {
    requestId: string('r-7f3a'),
    recommendations: eachLike(
      {
        product: {
          id: regex(INT64, PRODUCT_ID),
          name: string('The Left Hand of Darkness'),
          category: string('books'),
          price: {
            currencyCode: regex(/^[A-Z]{3}$/, 'EUR'),
            units: textLike(/^\d{1,19}$/, '12'),
            nanos: MatchersV3.integer(990_000_000),
          },
          availability: regex(AVAILABILITY, 'AVAILABILITY_IN_STOCK'),
          ...exactValues(exactProduct),
        },
        score: number(0.875),
        ...exactValues(exact),
      },
      1,
    ),
    generatedAt: regex(RFC3339_UTC, '2026-05-04T03:02:01.250Z'),
  };
}

/** @param {Record<string, unknown>} fields */
function exactValues(fields) {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, exactly(value)]));
}

/** @param {unknown} value */
function exactly(value) {
  if (value === null) return MatchersV3.nullValue();
  return value === 0 ? zero() : equal(value);
}

/**
 * A number that is 0 however it is spelt: for Pact 0.0 is not equal to 0, and a zero of any other language may be
 * either. The rule is in Pact's integration format, for which the library has no function.
 */
function zero() {
  const rules = [{ 'pact:matcher:type': 'number' }, { 'pact:matcher:type': 'regex', regex: '^0(\\.0+)?$' }];
  return { 'pact:matcher:type': rules, value: 0 };
}

/**
 * A string with a pattern. Pact compares a pattern with the text of any value, so that the number 0 would do as well.
 *
 * @param {RegExp} pattern
 * @param {string} value
 */
function textLike(pattern, value) {
  const rules = [{ 'pact:matcher:type': 'type' }, { 'pact:matcher:type': 'regex', regex: pattern.source }];
  return { 'pact:matcher:type': rules, value };
}

/** @param {string} message */
export function errorLike(message) {
  return { error: { code: equal('INVALID_ARGUMENT'), message: string(message) } };
}

/**
 * Holds one exchange between the real client and Pact's mock of the recommender, and writes it to the pact.
 *
 * Pact's mock server before 2.2.6 records a request only after it has answered it, and may not know of it yet when it is
 * asked. The client had its answer from nobody else, so such an exchange is held again.
 *
 * @template T
 * @param {Exchange} exchange
 * @param {(answer: Promise<import('../src/recommendation.js').RecommendationList>) => Promise<T>} check
 */
export async function hold(exchange, check) {
  for (let attempt = 1; attempt < ATTEMPTS; attempt += 1) {
    let answered = false;
    try {
      return await holdOnce(exchange, async (answer) => {
        const checked = await check(answer);
        answered = true;
        return checked;
      });
    } catch (error) {
      if (!answered || !String(error).includes('expected but not received')) throw error;
    }
  }
  return holdOnce(exchange, check);
}

/**
 * @template T
 * @param {Exchange} exchange
 * @param {(answer: Promise<import('../src/recommendation.js').RecommendationList>) => Promise<T>} check
 */
async function holdOnce({ description, states, requestBody, status = 200, responseBody, query }, check) {
  const pact = new PactV4({ consumer: CONSUMER, provider: PROVIDER, dir: pactDir, logLevel: 'warn' });
  const interaction = pact.addInteraction().uponReceiving(description);
  for (const [name, params] of states) interaction.given(name, params);
  await interaction
    .withRequest('POST', '/v1/recommendations', (request) => {
      request.jsonBody(requestBody);
    })
    .willRespondWith(status, (response) => {
      response.jsonBody(responseBody);
    })
    .executeTest((mock) => {
      const recommender = createHttpRecommender({ url: new URL(mock.url), timeoutMs: TIMEOUT_MS });
      return check(recommender.getRecommendations(query));
    });
}
