import http from 'node:http';
import http2 from 'node:http2';

import { connectNodeAdapter } from '@connectrpc/connect-node';

import { RecommendationService } from '../gen/shop/v1/recommendation_pb.js';

/**
 * @typedef {import('node:test').TestContext} TestContext
 * @typedef {import('../gen/shop/v1/recommendation_pb.js').GetRecommendationsRequest} RequestMessage
 * @typedef {import('@bufbuild/protobuf').MessageInitShape<
 *   typeof import('../gen/shop/v1/recommendation_pb.js').GetRecommendationsResponseSchema>} ResponseInit
 */

/**
 * @param {TestContext} t closes the server
 * @param {http.Server | http2.Http2Server} server
 * @param {() => void} closeConnections
 */
async function listening(t, server, closeConnections) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  t.after(() => {
    closeConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return new URL(`http://127.0.0.1:${port}`);
}

/**
 * @param {TestContext} t
 * @param {(request: { method?: string | undefined, url?: string | undefined, body: string },
 *   response: http.ServerResponse) => void} answer
 */
export function httpRecommender(t, answer) {
  const server = http.createServer(async (request, response) => {
    const { method, url } = request;
    let body = '';
    for await (const chunk of request.setEncoding('utf8')) body += chunk;
    answer({ method, url, body }, response);
  });
  return listening(t, server, () => server.closeAllConnections());
}

/**
 * @param {TestContext} t
 * @param {(request: RequestMessage, signal: AbortSignal) => ResponseInit | Promise<ResponseInit>} answer
 */
export function grpcRecommender(t, answer) {
  /** @type {Set<http2.ServerHttp2Session>} */
  const sessions = new Set();
  const routes = connectNodeAdapter({
    routes: (router) =>
      router.service(RecommendationService, {
        getRecommendations: (request, { signal }) => answer(request, signal),
      }),
  });
  const server = http2.createServer(routes).on('session', (session) => sessions.add(session));
  return listening(t, server, () => sessions.forEach((session) => session.destroy()));
}
