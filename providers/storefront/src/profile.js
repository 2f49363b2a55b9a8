/** @typedef {'TIER_UNSPECIFIED' | 'TIER_STANDARD' | 'TIER_PREMIUM'} Tier */

/** @type {readonly Tier[]} */
export const TIERS = ['TIER_UNSPECIFIED', 'TIER_STANDARD', 'TIER_PREMIUM'];

/**
 * @typedef {object} Profile
 * @property {bigint} id
 * @property {string} displayName
 * @property {string | null} nickname null: never given; empty: removed by the customer
 * @property {Tier} tier
 * @property {number | null} priceSensitivity from 0 to 1; null: not known yet
 * @property {Record<string, number>} categoryAffinity
 * @property {string} memberSince RFC 3339, UTC
 * @property {bigint | null} lastOrderId
 * @property {{ email: string } | { phone: string } | null} contact
 */
