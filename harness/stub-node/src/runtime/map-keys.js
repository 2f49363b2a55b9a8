/** @typedef {import('../writer.js').Writer} Writer */

import { writeBoolean, writeInteger, writeText } from '../observation.js';

/** How the keys of a map field, which are names of properties in JavaScript, are put in order and observed. */
export const MAP_KEYS = {
  string: { compare: compareCodePoints, write: writeText },
  bool: { compare: compareCodePoints, write: writeBooleanKey },
  integer: { compare: compareIntegers, write: writeInteger },
};

/** @param {Writer} writer @param {string} key */
function writeBooleanKey(writer, key) {
  writeBoolean(writer, key === 'true');
}

/** @param {string} one @param {string} other */
function compareIntegers(one, other) {
  const difference = BigInt(one) - BigInt(other);
  return difference < 0n ? -1 : Number(difference > 0n);
}

/**
 * JavaScript's own order is that of UTF-16, in which U+FFFF comes after every character beyond it.
 *
 * @param {string} one
 * @param {string} other
 */
function compareCodePoints(one, other) {
  let index = 0;
  while (index < one.length && one.charCodeAt(index) === other.charCodeAt(index)) index += 1;
  return (codePointUpTo(one, index) ?? -1) - (codePointUpTo(other, index) ?? -1);
}

/** The code point of which the unit at the index is a part. @param {string} text @param {number} index */
function codePointUpTo(text, index) {
  const isSecondHalf = index > 0 && (text.codePointAt(index - 1) ?? 0) > 0xffff;
  return text.codePointAt(isSecondHalf ? index - 1 : index);
}
