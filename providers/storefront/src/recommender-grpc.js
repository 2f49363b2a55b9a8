import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';

import { RecommendationService } from '../gen/shop/v1/recommendation_pb.js';
import { RecommenderRefused, RecommenderUnavailable, UnreadableMessage } from './errors.js';
import { fromResponseMessage, toRequestMessage } from './recommendation-proto.js';

const MAX_ANSWER_BYTES = 1024 * 1024;

/**
 * @param {{ url: URL, timeoutMs: number }} options the timeout spans the whole exchange
 * @returns {import('./recommendation.js').Recommender}
 */
export function createGrpcRecommender({ url, timeoutMs }) {
  const sessionManager = new Http2SessionManager(url.origin);
  const transport = createGrpcTransport({ baseUrl: url.href, sessionManager, readMaxBytes: MAX_ANSWER_BYTES });
  const client = createClient(RecommendationService, transport);
  return {
    async getRecommendations(query) {
      try {
        return fromResponseMessage(await client.getRecommendations(toRequestMessage(query), { timeoutMs }));
      } catch (error) {
        throw translated(error);
      }
    },
    close() {
      sessionManager.abort();
    },
  };
}

/** @param {unknown} error */
function translated(error) {
  if (error instanceof UnreadableMessage) {
    return new RecommenderUnavailable(`its answer is unreadable: ${error.message}`, { cause: error });
  }
  const { code, rawMessage, message } = ConnectError.from(error);
  if (code === Code.InvalidArgument) return new RecommenderRefused(rawMessage);
  return new RecommenderUnavailable(message, { cause: error });
}
