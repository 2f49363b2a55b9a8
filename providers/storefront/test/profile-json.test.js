import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { UnreadableMessage } from '../src/errors.js';
import { readProfile, readProfiles, writeProfile } from '../src/profile-json.js';

/** @typedef {import('../src/profile.js').Profile} Profile */

/** @type {Profile} */
const full = {
  id: 9007199254740993n,
  displayName: 'Amelie Brandt',
  nickname: 'Amy',
  tier: 'TIER_PREMIUM',
  priceSensitivity: 0.25,
  categoryAffinity: { books: 0.9 },
  memberSince: '2019-03-14T08:15:30.123456789Z',
  lastOrderId: 9100000000000000417n,
  contact: { email: 'amelie.brandt@example.com' },
};

/** @type {Profile} */
const bare = {
  ...full,
  nickname: null,
  priceSensitivity: null,
  categoryAffinity: {},
  lastOrderId: null,
  contact: null,
};

/** @param {Profile} profile */
const written = (profile) => JSON.parse(writeProfile(profile));

test('what is unknown is written as null, what does not exist is left out', () => {
  assert.deepEqual(written(bare), {
    id: '9007199254740993',
    displayName: 'Amelie Brandt',
    nickname: null,
    tier: 'TIER_PREMIUM',
    priceSensitivity: null,
    categoryAffinity: {},
    memberSince: '2019-03-14T08:15:30.123456789Z',
  });
});

test('a removed nickname and a sensitivity of 0 are values', () => {
  const { nickname, priceSensitivity } = written({ ...full, nickname: '', priceSensitivity: 0 });
  assert.equal(nickname, '');
  assert.equal(priceSensitivity, 0);
});

test('only the contact that is set is written', () => {
  assert.deepEqual(Object.keys(written(full)).slice(-2), ['lastOrderId', 'email']);
  assert.equal(written({ ...full, contact: { phone: '' } }).phone, '');
});

test('reading gives back what was written', () => {
  const contacts = [null, { email: '' }, { phone: '+49 30 1' }];
  for (const profile of [full, bare, ...contacts.map((contact) => ({ ...full, contact })), { ...full, nickname: '' }]) {
    assert.deepEqual(readProfile(Buffer.from(writeProfile(profile))), profile);
  }
});

test('null and absence mean the same to the reader, unknown fields and tiers nothing', () => {
  const { id, displayName, memberSince } = written(bare);
  const sparse = { id, displayName, memberSince };
  const nulled = { ...written(bare), tier: null, categoryAffinity: null, lastOrderId: null, email: null, phone: null };
  const newer = { ...sparse, tier: 'TIER_PLATINUM', favouriteColour: 'green' };
  for (const fields of [sparse, nulled, newer]) {
    const profile = readProfile(Buffer.from(JSON.stringify(fields)));
    assert.deepEqual(profile, { ...bare, tier: 'TIER_UNSPECIFIED' });
  }
});

test('a profile that breaks its own rules is unreadable', () => {
  for (const change of [
    { id: '0' },
    { email: 'a', phone: 'b' },
    { memberSince: '2019-03-14' },
    { displayName: null },
  ]) {
    const bytes = Buffer.from(JSON.stringify({ ...written(bare), ...change }));
    assert.throws(() => readProfile(bytes), UnreadableMessage, JSON.stringify(change));
  }
});

test('the seed shows each optional state', async () => {
  const seed = readProfiles(await readFile(new URL('../data/profiles.json', import.meta.url)));
  assert.equal(seed.length, 4);
  assert.ok(seed.every(({ id }) => id > 2n ** 53n));
  assert.deepEqual(new Set(seed.map(({ nickname }) => nickname)), new Set(['Amy', '', null]));
  assert.ok([null, 0].every((state) => seed.some(({ priceSensitivity }) => priceSensitivity === state)));
  assert.ok(seed.some(({ lastOrderId }) => lastOrderId === null));
  assert.deepEqual(
    new Set(seed.map(({ contact }) => Object.keys(contact ?? {})[0])),
    new Set(['email', 'phone', undefined]),
  );
});
