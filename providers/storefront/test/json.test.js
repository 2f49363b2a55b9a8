import assert from 'node:assert/strict';
import { test } from 'node:test';

import { UnreadableMessage } from '../src/errors.js';
import { int64, parsePositiveInt64 } from '../src/int64.js';
import { parseJson, readAs } from '../src/json.js';

/** @param {string} text */
const parsed = (text) => parseJson(Buffer.from(text));

test('integers keep every digit, other numbers are numbers', () => {
  assert.deepEqual(parsed('[9007199254740991, 9007199254740993, -9007199254740993, 0.5, 1e3, 12345678901234567890]'), [
    9007199254740991,
    9007199254740993n,
    -9007199254740993n,
    0.5,
    1000,
    12345678901234567890,
  ]);
});

test('what is not JSON in UTF-8 is unreadable', () => {
  for (const bytes of [
    Buffer.from('{"a":'),
    Buffer.from([0x22, 0xff, 0x22]),
    Buffer.alloc(0),
    Buffer.alloc(5e5, '['),
  ]) {
    assert.throws(() => parseJson(bytes), UnreadableMessage);
  }
});

test('a __proto__ key is an ordinary key', () => {
  const value = /** @type {object} */ (parsed('{"__proto__":{"polluted":true}}'));
  assert.ok(Object.hasOwn(value, '__proto__'));
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
});

test('an int64 is a decimal string or a whole number', () => {
  for (const text of ['"9007199254740993"', '9007199254740993']) {
    assert.equal(readAs(int64, parsed(text)), 9007199254740993n);
  }
  assert.equal(readAs(int64, parsed('"-9223372036854775808"')), -(2n ** 63n));
  for (const text of [
    '"9223372036854775808"',
    '9223372036854775808',
    '1.5',
    '"1.5"',
    '""',
    '"0x10"',
    'null',
    '1e300',
  ]) {
    assert.throws(() => readAs(int64, parsed(text)), UnreadableMessage, text);
  }
});

test('an id in a path is canonical, positive, and fits', () => {
  assert.equal(parsePositiveInt64('9223372036854775807'), 2n ** 63n - 1n);
  for (const text of ['0', '-1', '007', '+5', '1.0', ' 1', '', '9223372036854775808', '99999999999999999999']) {
    assert.equal(parsePositiveInt64(text), undefined, text);
  }
});
