/** `node src/stub.js`: a stub around the code with which the storefront reads and writes its messages. */

import { createRequire } from 'node:module';

import { fromBinary, fromJsonString, toBinary } from '@bufbuild/protobuf';
import { Stub } from 'counterfoil-stub';

import { GetRecommendationsRequestSchema, GetRecommendationsResponseSchema } from '../gen/shop/v1/recommendation_pb.js';
import { readProfile, writeProfile } from './profile-json.js';
import { readErrorMessage, readRecommendationsResponse, writeRecommendationsRequest } from './recommendation-json.js';
import { fromResponseMessage, toRequestMessage } from './recommendation-proto.js';

/** @typedef {import('./recommendation.js').RecommendationQuery} RecommendationQuery */

const { version } = createRequire(import.meta.url)('zod/package.json');

/**
 * The storefront only writes its query. It is read here with the generated code, so that there is something to write.
 *
 * @param {import('../gen/shop/v1/recommendation_pb.js').GetRecommendationsRequest} message
 * @returns {RecommendationQuery}
 */
function toQuery({ userContext, limit, categories }) {
  return {
    ...(userContext && {
      user: { id: userContext.userId, locale: userContext.locale, attributes: userContext.attributes },
    }),
    ...(limit !== undefined && { limit }),
    categories,
  };
}

/** @param {Uint8Array} bytes @returns {import('./recommendation.js').RecommendationList} */
function readGeneratedResponse(bytes) {
  return fromResponseMessage(fromBinary(GetRecommendationsResponseSchema, bytes));
}

/** @param {RecommendationQuery} query */
function writeGeneratedRequest(query) {
  return toBinary(GetRecommendationsRequestSchema, toRequestMessage(query));
}

const stub = new Stub({ runtime: 'zod', version });
stub.json('shop.v1.GetRecommendationsResponse', { decode: readRecommendationsResponse });
stub.protobuf('shop.v1.GetRecommendationsResponse', { decode: readGeneratedResponse });
stub.json('error', { decode: readErrorMessage });
stub.json('shop.v1.UserProfile', { decode: readProfile, encode: writeProfile });
stub.json('shop.v1.GetRecommendationsRequest', {
  decode: (bytes) => toQuery(fromJsonString(GetRecommendationsRequestSchema, Buffer.from(bytes).toString())),
  encode: writeRecommendationsRequest,
});
stub.protobuf('shop.v1.GetRecommendationsRequest', {
  decode: (bytes) => toQuery(fromBinary(GetRecommendationsRequestSchema, bytes)),
  encode: writeGeneratedRequest,
});
await stub.run();
