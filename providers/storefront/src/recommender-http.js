import { RecommenderRefused, RecommenderUnavailable } from './errors.js';
import { readErrorMessage, readRecommendationsResponse, writeRecommendationsRequest } from './recommendation-json.js';

const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * @param {{ url: URL, timeoutMs: number }} options the timeout spans the whole exchange
 * @returns {import('./recommendation.js').Recommender}
 */
export function createHttpRecommender({ url, timeoutMs }) {
  const endpoint = new URL(`${url.pathname.replace(/\/$/, '')}/v1/recommendations`, url);
  return {
    async getRecommendations(query) {
      const { status, bytes } = await post(endpoint, writeRecommendationsRequest(query), timeoutMs);
      if (status === 400) throw new RecommenderRefused(readOrUnavailable(readErrorMessage, bytes));
      if (status !== 200) throw new RecommenderUnavailable(`it answered with status ${status}`);
      return readOrUnavailable(readRecommendationsResponse, bytes);
    },
    close() {},
  };
}

/**
 * @param {URL} endpoint
 * @param {string} body
 * @param {number} timeoutMs
 */
async function post(endpoint, body, timeoutMs) {
  try {
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    return { status: response.status, bytes: await readBounded(response.body) };
  } catch (error) {
    throw new RecommenderUnavailable(reasonOf(error), { cause: error });
  }
}

/** @param {ReadableStream<Uint8Array> | null} body */
async function readBounded(body) {
  const chunks = [];
  let sizeBytes = 0;
  for await (const chunk of body ?? []) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_ANSWER_BYTES) throw new Error(`its answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * @template T
 * @param {(bytes: Uint8Array) => T} read
 * @param {Uint8Array} bytes
 * @returns {T}
 */
function readOrUnavailable(read, bytes) {
  try {
    return read(bytes);
  } catch (error) {
    throw new RecommenderUnavailable(`its answer is unreadable: ${reasonOf(error)}`, { cause: error });
  }
}

/**
 * `fetch` says "fetch failed" and keeps the reason as the cause.
 *
 * @param {unknown} error
 */
function reasonOf(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
