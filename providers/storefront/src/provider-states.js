import { z } from 'zod';

import { RequestError, UnreadableMessage, invalidArgument } from './errors.js';
import { int64 } from './int64.js';
import { readAs } from './json.js';
import { profileSchema, toProfile } from './profile-json.js';

/** @typedef {import('./profile-store.js').ProfileStore} ProfileStore */

const requestSchema = z.object({
  state: z.string(),
  params: z.record(z.string(), z.unknown()).nullish(),
  action: z.enum(['setup', 'teardown']).default('setup'),
});

// Strict: a misspelt parameter would otherwise set up another state than the one that is meant.
const userExistsSchema = profileSchema.strict();
const noUserExistsSchema = z.strictObject({ id: int64 });

const UNREMARKABLE = {
  displayName: 'Robin Example',
  tier: 'TIER_STANDARD',
  memberSince: '2024-01-15T09:30:00Z',
};

/** @type {Record<string, (profiles: ProfileStore, params: Record<string, unknown>) => void>} */
const SETUPS = {
  '': () => {},
  'a user exists': (profiles, params) =>
    profiles.put(toProfile(readAs(userExistsSchema, { ...UNREMARKABLE, ...params }))),
  'no user exists': (profiles, params) => profiles.remove(readAs(noUserExistsSchema, params).id),
};

/**
 * Carries out one provider-state change. A setup adds to the earlier ones, any teardown resets everything.
 *
 * @param {ProfileStore} profiles
 * @param {unknown} body
 * @throws {RequestError} the state is unknown, or the body or a parameter does not fit
 */
export function changeProviderState(profiles, body) {
  try {
    const { state, params, action } = readAs(requestSchema, body);
    if (action === 'teardown') profiles.reset();
    const setUp = Object.hasOwn(SETUPS, state) ? SETUPS[state] : undefined;
    if (setUp === undefined) {
      const known = Object.keys(SETUPS).filter(Boolean).join(', ');
      throw new RequestError(404, 'UNKNOWN_STATE', `there is no state ${JSON.stringify(state)}; known are: ${known}`);
    }
    if (action === 'setup') setUp(profiles, params ?? {});
  } catch (error) {
    throw error instanceof UnreadableMessage ? invalidArgument(error.message) : error;
  }
}
