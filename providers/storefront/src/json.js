import { parse } from 'lossless-json';
import { z } from 'zod';

import { UnreadableMessage } from './errors.js';

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Integers that a double would round become bigints, every other number stays a number.
 *
 * @param {string} text
 */
function parseNumber(text) {
  const number = Number(text);
  return Number.isSafeInteger(number) || !/^-?\d{1,19}$/.test(text) ? number : BigInt(text);
}

/**
 * `JSON.parse` for bytes that may hold int64 numbers.
 *
 * @param {Uint8Array} bytes
 * @returns {unknown}
 * @throws {UnreadableMessage} also for invalid UTF-8 and for nesting deeper than the stack
 */
export function parseJson(bytes) {
  try {
    return parse(utf8.decode(bytes), undefined, parseNumber);
  } catch (error) {
    throw new UnreadableMessage(`not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * @template {z.ZodType} Schema
 * @param {Schema} schema
 * @param {unknown} value
 * @returns {z.output<Schema>}
 * @throws {UnreadableMessage} naming the first field that does not fit
 */
export function readAs(schema, value) {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [{ path, message } = { path: [], message: 'invalid' }] = error.issues;
  throw new UnreadableMessage(path.length > 0 ? `${path.join('.')}: ${message}` : message);
}

/** A double of the JSON mapping; a large whole number arrives from `parseJson` as a bigint. */
export const double = z.union([z.number(), z.bigint().transform(Number)]);
