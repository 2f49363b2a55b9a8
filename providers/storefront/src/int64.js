import { z } from 'zod';

const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;

/** An int64 of protobuf's JSON mapping: a decimal string, or an integer number as `parseJson` leaves it. */
export const int64 = z
  .union([z.string().regex(/^-?\d{1,19}$/), z.int(), z.bigint()], 'expected a 64-bit integer, as a string or a number')
  .transform((value) => BigInt(value))
  .refine((value) => value >= INT64_MIN && value <= INT64_MAX, 'out of the range of int64');

/**
 * @param {string} text
 * @returns {bigint | undefined} undefined unless it is a canonical decimal from 1 to 2^63 - 1
 */
export function parsePositiveInt64(text) {
  if (!/^[1-9]\d{0,18}$/.test(text)) return undefined;
  const value = BigInt(text);
  return value <= INT64_MAX ? value : undefined;
}
