import assert from 'node:assert/strict';
import { test } from 'node:test';

import { finalPrice } from '../src/price.js';

/**
 * @param {bigint} units
 * @param {number} [nanos]
 */
const eur = (units, nanos = 0) => ({ currencyCode: 'EUR', units, nanos });

test('a discount is the decimal that people wrote', () => {
  assert.deepEqual(finalPrice(eur(19n, 990_000_000), 0.15), eur(16n, 991_500_000));
  assert.deepEqual(finalPrice(eur(100n), 0.1), eur(90n));
  assert.deepEqual(finalPrice(eur(1n), 0.3), eur(0n, 700_000_000));
});

test('no discount leaves the price, a whole one leaves nothing', () => {
  assert.deepEqual(finalPrice(eur(12n, 340_000_000), 0), eur(12n, 340_000_000));
  assert.deepEqual(finalPrice(eur(12n, 340_000_000), 1), eur(0n));
});

test('a discount outside of 0 to 1 neither raises the price nor makes it a debt', () => {
  assert.deepEqual(finalPrice(eur(10n), -0.5), eur(10n));
  assert.deepEqual(finalPrice(eur(10n), 1.5), eur(0n));
  assert.throws(() => finalPrice(eur(10n), Number.NaN), RangeError);
});

test('large and tiny amounts are exact', () => {
  assert.deepEqual(finalPrice(eur(9_223_372_036_854_775_807n), 0.5), eur(4_611_686_018_427_387_903n, 500_000_000));
  assert.deepEqual(finalPrice(eur(1_000_000n), 1e-7), eur(999_999n, 900_000_000));
  assert.deepEqual(finalPrice(eur(1_000_000n), 1.5e-7), eur(999_999n, 850_000_000));
});

test('half a nano-unit is rounded in the favour of the customer', () => {
  assert.deepEqual(finalPrice(eur(0n, 1), 0.5), eur(0n, 0));
  assert.deepEqual(finalPrice(eur(0n, 3), 0.5), eur(0n, 1));
});

test('a refund keeps the sign in both parts', () => {
  assert.deepEqual(finalPrice(eur(-1n, -500_000_000), 0.2), eur(-1n, -200_000_000));
});
