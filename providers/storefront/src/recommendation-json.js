import { z } from 'zod';

import { int64 } from './int64.js';
import { double, parseJson, readAs } from './json.js';
import { knownAvailability } from './recommendation.js';

/**
 * @typedef {import('./recommendation.js').RecommendationQuery} RecommendationQuery
 * @typedef {import('./recommendation.js').RecommendationList} RecommendationList
 * @typedef {import('./recommendation.js').Recommendation} Recommendation
 */

const moneySchema = z.object({
  currencyCode: z.string(),
  units: int64.nullish(),
  nanos: z.int32().nullish(),
});

const recommendationSchema = z.object({
  product: z.object({
    id: int64,
    name: z.string(),
    category: z.string(),
    price: moneySchema,
    discount: double.nullish(),
    availability: z.string().nullish(),
  }),
  score: double.nullish(),
  confidence: double.nullish(),
  reason: z.string().nullish(),
});

const responseSchema = z.object({
  requestId: z.string(),
  recommendations: z.array(recommendationSchema).nullish(),
  generatedAt: z.iso.datetime().nullish(),
});

const errorSchema = z.object({ error: z.object({ message: z.string() }) });

/**
 * @param {z.output<typeof recommendationSchema>} fields
 * @returns {Recommendation}
 */
function toRecommendation({ product, score, confidence, reason }) {
  const { id, name, category, price, discount, availability } = product;
  return {
    product: {
      id,
      name,
      category,
      price: { currencyCode: price.currencyCode, units: price.units ?? 0n, nanos: price.nanos ?? 0 },
      discount: discount ?? null,
      availability: knownAvailability(availability),
    },
    score: score ?? 0,
    confidence: confidence ?? null,
    reason: reason ?? null,
  };
}

/**
 * @param {Uint8Array} bytes a GetRecommendationsResponse in protobuf's JSON mapping
 * @returns {RecommendationList}
 * @throws {import('./errors.js').UnreadableMessage}
 */
export function readRecommendationsResponse(bytes) {
  const { requestId, recommendations, generatedAt } = readAs(responseSchema, parseJson(bytes));
  return {
    requestId,
    generatedAt: generatedAt ?? null,
    items: (recommendations ?? []).map(toRecommendation),
  };
}

/**
 * @param {Uint8Array} bytes `{"error":{"code","message"}}`
 * @returns {string} the message
 * @throws {import('./errors.js').UnreadableMessage}
 */
export function readErrorMessage(bytes) {
  return readAs(errorSchema, parseJson(bytes)).error.message;
}

/**
 * @param {RecommendationQuery} query
 * @returns {string} a GetRecommendationsRequest in protobuf's JSON mapping
 */
export function writeRecommendationsRequest({ user, limit, categories }) {
  return JSON.stringify({
    userContext: user && { userId: user.id.toString(), locale: user.locale, attributes: user.attributes },
    limit,
    categories,
  });
}
