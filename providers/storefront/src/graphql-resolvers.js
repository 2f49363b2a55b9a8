import { GraphQLError } from 'graphql';

import { RecommenderRefused, RecommenderUnavailable } from './errors.js';
import { parsePositiveInt64 } from './int64.js';
import { finalPrice } from './price.js';
import { sessionFacts } from './session.js';

/**
 * @typedef {import('./profile.js').Profile} Profile
 * @typedef {import('./recommendation.js').Money} Money
 * @typedef {import('./recommendation.js').Product} Product
 * @typedef {import('./recommendation.js').Recommendation} Recommendation
 */

/**
 * @typedef {import('./recommendation.js').Recommender} Recommender
 *
 * @typedef {object} GraphqlContext
 * @property {import('./profile-store.js').ProfileStore} profiles
 * @property {{ HTTP: Recommender, GRPC: Recommender }} recommenders
 * @property {import('node:http').IncomingHttpHeaders} headers
 * @property {(line: string) => void} log
 */

/**
 * An argument left out has the schema's default or is undefined; one given as null is null.
 *
 * @typedef {object} RecommendationsArguments
 * @property {string | null} [userId]
 * @property {'HTTP' | 'GRPC'} transport
 * @property {number | null} [limit]
 * @property {string[] | null} [categories]
 */

/**
 * @param {string} name
 * @param {string} text
 */
function idArgument(name, text) {
  const id = parsePositiveInt64(text);
  if (id === undefined) throw badUserInput(`${name} must be a positive 64-bit integer in decimal`);
  return id;
}

/** @param {string} message */
function badUserInput(message) {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}

/**
 * @param {unknown} _root
 * @param {RecommendationsArguments} args
 * @param {GraphqlContext} context
 */
async function recommendations(_root, { userId, transport, limit, categories }, { recommenders, headers, log }) {
  const query = {
    ...(userId != null && { user: { id: idArgument('userId', userId), ...sessionFacts(headers) } }),
    ...(limit != null && { limit }),
    categories: categories ?? [],
  };
  try {
    return await recommenders[transport].getRecommendations(query);
  } catch (error) {
    if (error instanceof RecommenderRefused) throw badUserInput(error.message);
    if (!(error instanceof RecommenderUnavailable)) throw error;
    log(`no recommendations over ${transport}: ${error.message}`);
    throw new GraphQLError('the recommender is unavailable', { extensions: { code: 'RECOMMENDER_UNAVAILABLE' } });
  }
}

/**
 * @param {unknown} _root
 * @param {{ id: string }} args
 * @param {GraphqlContext} context
 */
function profile(_root, { id }, { profiles }) {
  return profiles.find(idArgument('id', id)) ?? null;
}

export const graphqlResolvers = {
  Query: { recommendations, profile },
  Recommendation: {
    /** @param {Recommendation} recommendation */
    finalPrice: ({ product }) => finalPrice(product.price, product.discount ?? 0),
  },
  Product: {
    /** @param {Product} product */
    id: ({ id }) => id.toString(),
  },
  Money: {
    /** @param {Money} money */
    units: ({ units }) => units.toString(),
  },
  Profile: {
    /** @param {Profile} profile */
    id: ({ id }) => id.toString(),
    /** @param {Profile} profile */
    lastOrderId: ({ lastOrderId }) => lastOrderId?.toString() ?? null,
    /** @param {Profile} profile */
    categoryAffinity: ({ categoryAffinity }) =>
      Object.entries(categoryAffinity).map(([category, affinity]) => ({ category, affinity })),
    /** @param {Profile} profile */
    email: ({ contact }) => (contact !== null && 'email' in contact ? contact.email : null),
    /** @param {Profile} profile */
    phone: ({ contact }) => (contact !== null && 'phone' in contact ? contact.phone : null),
  },
};
