import Fastify from 'fastify';

import { RequestError, UnreadableMessage, invalidArgument } from './errors.js';
import { registerGraphql } from './graphql-route.js';
import { parsePositiveInt64 } from './int64.js';
import { parseJson } from './json.js';
import { writeProfile } from './profile-json.js';
import { changeProviderState } from './provider-states.js';

/**
 * @typedef {object} Services
 * @property {import('./profile-store.js').ProfileStore} profiles
 * @property {import('./graphql-resolvers.js').GraphqlContext['recommenders']} recommenders
 * @property {boolean} providerStatesEnabled
 * @property {(line: string) => void} log
 */

/**
 * @typedef {import('fastify').FastifyInstance} FastifyInstance
 * @typedef {import('fastify').FastifyReply} FastifyReply
 * @typedef {import('fastify').FastifyRequest} FastifyRequest
 */

const MAX_BODY_BYTES = 1024 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;

/** @type {Record<number, string>} */
const CODES = { 404: 'NOT_FOUND', 413: 'PAYLOAD_TOO_LARGE', 415: 'UNSUPPORTED_MEDIA_TYPE' };

/**
 * @param {Services} services closing the server closes the recommenders
 * @returns {Promise<FastifyInstance>} not listening yet
 */
export async function buildServer(services) {
  /** @type {(error: Error, request: FastifyRequest, reply: FastifyReply) => FastifyReply} */
  const answerError = (error, request, reply) => sendError(reply, toRequestError(error, request, services.log));
  const app = Fastify({
    bodyLimit: MAX_BODY_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { maxParamLength: MAX_BODY_BYTES },
    frameworkErrors: answerError,
  });
  app.setErrorHandler(answerError);
  app.setNotFoundHandler((_request, reply) => sendError(reply, new RequestError(404, 'NOT_FOUND', 'no such resource')));
  readJsonOnly(app);

  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/profiles/:id', (request, reply) => {
    const { id = '' } = /** @type {{ id?: string }} */ (request.params);
    return reply.type('application/json; charset=utf-8').send(showProfile(services.profiles, id));
  });
  await registerGraphql(app, services);
  if (services.providerStatesEnabled) {
    app.post('/_pact/provider-states', ({ body }) => {
      changeProviderState(services.profiles, body);
      return {};
    });
  }
  app.addHook('onClose', async () => {
    for (const recommender of Object.values(services.recommenders)) recommender.close();
  });
  return app;
}

/**
 * Fastify's own parser would round int64 numbers.
 *
 * @param {FastifyInstance} app
 */
function readJsonOnly(app) {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, readBody);
}

/**
 * @param {FastifyRequest} _request
 * @param {Buffer} bytes
 */
async function readBody(_request, bytes) {
  try {
    return parseJson(bytes);
  } catch (error) {
    throw error instanceof UnreadableMessage ? invalidArgument(`the body is ${error.message}`) : error;
  }
}

/**
 * @param {import('./profile-store.js').ProfileStore} profiles
 * @param {string} idText
 */
function showProfile(profiles, idText) {
  const id = parsePositiveInt64(idText);
  if (id === undefined) throw invalidArgument('the id of a profile is a positive 64-bit integer in decimal');
  const profile = profiles.find(id);
  if (profile === undefined) throw new RequestError(404, 'NOT_FOUND', `there is no profile ${id}`);
  return writeProfile(profile);
}

/**
 * @param {Error & { statusCode?: number }} error
 * @param {FastifyRequest} request
 * @param {(line: string) => void} log
 * @returns {RequestError}
 */
function toRequestError(error, { method, url }, log) {
  if (error instanceof RequestError) return error;
  const { statusCode = 500, message } = error;
  if (statusCode < 500) return new RequestError(statusCode, CODES[statusCode] ?? 'INVALID_ARGUMENT', message);
  log(`${method} ${url} failed: ${message}`);
  return new RequestError(500, 'INTERNAL', 'internal error');
}

/**
 * @param {FastifyReply} reply
 * @param {RequestError} error
 */
function sendError(reply, { statusCode, code, message }) {
  return reply.code(statusCode).send({ error: { code, message } });
}
