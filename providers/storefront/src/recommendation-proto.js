import { create, toJson } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';

import { AvailabilitySchema } from '../gen/shop/v1/catalog_pb.js';
import { GetRecommendationsRequestSchema } from '../gen/shop/v1/recommendation_pb.js';
import { UnreadableMessage } from './errors.js';
import { knownAvailability } from './recommendation.js';

/**
 * @typedef {import('./recommendation.js').RecommendationQuery} RecommendationQuery
 * @typedef {import('./recommendation.js').RecommendationList} RecommendationList
 * @typedef {import('./recommendation.js').Recommendation} Recommendation
 */

/**
 * @param {RecommendationQuery} query
 * @returns {import('../gen/shop/v1/recommendation_pb.js').GetRecommendationsRequest}
 */
export function toRequestMessage({ user, limit, categories }) {
  return create(GetRecommendationsRequestSchema, {
    ...(user && {
      userContext: {
        userId: user.id,
        attributes: user.attributes,
        ...(user.locale !== undefined && { locale: user.locale }),
      },
    }),
    ...(limit !== undefined && { limit }),
    categories,
  });
}

/**
 * @param {number} value
 * @param {string} name
 */
function finite(value, name) {
  if (!Number.isFinite(value)) throw new UnreadableMessage(`${name}: ${value} is not a finite number`);
  return value;
}

/**
 * @param {number | undefined} value
 * @param {string} name
 */
function finiteOrNull(value, name) {
  return value === undefined ? null : finite(value, name);
}

/**
 * @param {import('../gen/shop/v1/recommendation_pb.js').Recommendation} message
 * @returns {Recommendation}
 */
function fromRecommendation({ product, score, confidence, reason }) {
  if (product?.price === undefined) throw new UnreadableMessage('a recommendation without a product or a price');
  const { id, name, category, price, discount, availability } = product;
  return {
    product: {
      id,
      name,
      category,
      price: { currencyCode: price.currencyCode, units: price.units, nanos: price.nanos },
      discount: finiteOrNull(discount, 'discount'),
      availability: knownAvailability(AvailabilitySchema.value[availability]?.name),
    },
    score: finite(score, 'score'),
    confidence: finiteOrNull(confidence, 'confidence'),
    reason: reason ?? null,
  };
}

/**
 * @param {import('@bufbuild/protobuf/wkt').Timestamp | undefined} timestamp
 */
function fromTimestamp(timestamp) {
  if (timestamp === undefined) return null;
  try {
    return toJson(TimestampSchema, timestamp);
  } catch {
    throw new UnreadableMessage(`generated_at: ${timestamp.seconds} s is outside of the years 1 to 9999`);
  }
}

/**
 * @param {import('../gen/shop/v1/recommendation_pb.js').GetRecommendationsResponse} message
 * @returns {RecommendationList}
 * @throws {UnreadableMessage}
 */
export function fromResponseMessage({ requestId, recommendations, generatedAt }) {
  return {
    requestId,
    generatedAt: fromTimestamp(generatedAt),
    items: recommendations.map(fromRecommendation),
  };
}
