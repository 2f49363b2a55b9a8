/** @typedef {import('./profile.js').Profile} Profile */

/** The profiles in memory, by id. */
export class ProfileStore {
  /** @type {readonly Profile[]} */
  #seed;
  /** @type {Map<bigint, Profile>} */
  #profiles;

  /** @param {readonly Profile[]} seed */
  constructor(seed) {
    this.#seed = seed;
    this.#profiles = indexed(seed);
  }

  /** @param {bigint} id */
  find(id) {
    return this.#profiles.get(id);
  }

  /** @param {Profile} profile */
  put(profile) {
    this.#profiles.set(profile.id, profile);
  }

  /** @param {bigint} id */
  remove(id) {
    this.#profiles.delete(id);
  }

  /** Back to the seed. */
  reset() {
    this.#profiles = indexed(this.#seed);
  }
}

/** @param {readonly Profile[]} profiles */
function indexed(profiles) {
  return new Map(profiles.map((profile) => [profile.id, profile]));
}
