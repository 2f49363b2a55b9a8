/** @typedef {import('./recommendation.js').Money} Money */

const NANOS_PER_UNIT = 1_000_000_000n;

/**
 * The price with the discount taken off, exact to the nano-unit; half a nano-unit is rounded in the customer's favour.
 * A discount below 0 counts as 0 and one above 1 as 1: a price is neither raised nor turned into a debt.
 *
 * @param {Money} price
 * @param {number} discount the part that is taken off
 * @returns {Money}
 */
export function finalPrice({ currencyCode, units, nanos }, discount) {
  const total = units * NANOS_PER_UNIT + BigInt(nanos);
  const { numerator, denominator } = decimalFraction(Math.min(Math.max(discount, 0), 1));
  const final = total - roundedQuotient(total * numerator, denominator);
  return { currencyCode, units: final / NANOS_PER_UNIT, nanos: Number(final % NANOS_PER_UNIT) };
}

/**
 * The decimal that people wrote, not the binary double: 0.15 is 15/100.
 *
 * @param {number} value from 0 to 1
 */
function decimalFraction(value) {
  const [, whole = '', decimals = '', exponent = '0'] = /^(\d+)(?:\.(\d+))?(?:e-(\d+))?$/.exec(String(value)) ?? [];
  if (whole === '') throw new RangeError(`${value} is not a part of a price`);
  return {
    numerator: BigInt(whole + decimals),
    denominator: 10n ** (BigInt(decimals.length) + BigInt(exponent)),
  };
}

/**
 * @param {bigint} dividend
 * @param {bigint} divisor positive
 * @returns {bigint} the nearest integer, halves away from zero
 */
function roundedQuotient(dividend, divisor) {
  const half = dividend < 0n ? -divisor : divisor;
  return (2n * dividend + half) / (2n * divisor);
}
