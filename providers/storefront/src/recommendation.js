/**
 * @typedef {'AVAILABILITY_UNSPECIFIED' | 'AVAILABILITY_IN_STOCK' | 'AVAILABILITY_BACKORDER'
 *   | 'AVAILABILITY_DISCONTINUED'} Availability
 */

/** @type {readonly Availability[]} */
const AVAILABILITIES = [
  'AVAILABILITY_UNSPECIFIED',
  'AVAILABILITY_IN_STOCK',
  'AVAILABILITY_BACKORDER',
  'AVAILABILITY_DISCONTINUED',
];

/**
 * @typedef {object} RecommendationQuery
 * @property {{ id: bigint, locale?: string | undefined, attributes: Record<string, string> }} [user] absent: anonymous
 * @property {number} [limit] absent: the recommender's default
 * @property {string[]} categories empty: all of them
 */

/**
 * @typedef {object} Money
 * @property {string} currencyCode
 * @property {bigint} units
 * @property {number} nanos
 */

/**
 * @typedef {object} Product
 * @property {bigint} id
 * @property {string} name
 * @property {string} category
 * @property {Money} price
 * @property {number | null} discount null: none, which is not 0
 * @property {Availability} availability
 */

/**
 * @typedef {object} Recommendation
 * @property {Product} product
 * @property {number} score
 * @property {number | null} confidence
 * @property {string | null} reason
 */

/**
 * @typedef {object} RecommendationList
 * @property {string} requestId
 * @property {string | null} generatedAt RFC 3339, UTC
 * @property {Recommendation[]} items best first
 */

/**
 * Both transports have this shape.
 *
 * @typedef {object} Recommender
 * @property {(query: RecommendationQuery) => Promise<RecommendationList>} getRecommendations
 *   rejects with RecommenderRefused or RecommenderUnavailable, and with nothing else
 * @property {() => void} close
 */

/**
 * A newer recommender may know more states of stock than this gateway.
 *
 * @param {string | null | undefined} name
 * @returns {Availability}
 */
export function knownAvailability(name) {
  return AVAILABILITIES.find((known) => known === name) ?? 'AVAILABILITY_UNSPECIFIED';
}
