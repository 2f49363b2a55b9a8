import { z } from 'zod';

import { UnreadableMessage } from './errors.js';
import { int64 } from './int64.js';
import { double, parseJson, readAs } from './json.js';
import { TIERS } from './profile.js';

/** @typedef {import('./profile.js').Profile} Profile */

export const profileSchema = z.object({
  id: int64.refine((id) => id > 0n, 'must be positive'),
  displayName: z.string(),
  nickname: z.string().nullish(),
  tier: z.string().nullish(),
  priceSensitivity: double.nullish(),
  categoryAffinity: z.record(z.string(), double).nullish(),
  memberSince: z.iso.datetime(),
  lastOrderId: int64.nullish(),
  email: z.string().nullish(),
  phone: z.string().nullish(),
});

/**
 * @param {{ email?: string | null | undefined, phone?: string | null | undefined }} fields
 * @returns {Profile['contact']}
 */
function toContact({ email, phone }) {
  if (email != null && phone != null) throw new UnreadableMessage('email and phone: at most one may be set');
  if (email != null) return { email };
  return phone != null ? { phone } : null;
}

/**
 * @param {z.output<typeof profileSchema>} fields
 * @returns {Profile}
 * @throws {UnreadableMessage} when there are two contacts
 */
export function toProfile({ id, displayName, nickname, tier, priceSensitivity, memberSince, lastOrderId, ...rest }) {
  return {
    id,
    displayName,
    nickname: nickname ?? null,
    tier: TIERS.find((known) => known === tier) ?? 'TIER_UNSPECIFIED',
    priceSensitivity: priceSensitivity ?? null,
    categoryAffinity: rest.categoryAffinity ?? {},
    memberSince,
    lastOrderId: lastOrderId ?? null,
    contact: toContact(rest),
  };
}

/**
 * @param {Uint8Array} bytes a UserProfile in protobuf's JSON mapping
 * @returns {Profile}
 * @throws {UnreadableMessage}
 */
export function readProfile(bytes) {
  return toProfile(readAs(profileSchema, parseJson(bytes)));
}

/**
 * @param {Uint8Array} bytes a JSON array of UserProfiles
 * @returns {Profile[]}
 * @throws {UnreadableMessage}
 */
export function readProfiles(bytes) {
  return readAs(z.array(profileSchema), parseJson(bytes)).map(toProfile);
}

/**
 * What is not known is written as null, what does not exist (an order, a contact) is left out.
 *
 * @param {Profile} profile
 * @returns {string}
 */
export function writeProfile({ id, lastOrderId, contact, ...rest }) {
  return JSON.stringify({
    id: id.toString(),
    displayName: rest.displayName,
    nickname: rest.nickname,
    tier: rest.tier,
    priceSensitivity: rest.priceSensitivity,
    categoryAffinity: rest.categoryAffinity,
    memberSince: rest.memberSince,
    lastOrderId: lastOrderId?.toString(),
    ...contact,
  });
}
