/** A request cannot be answered as asked; becomes `{"error":{"code","message"}}` with this status. */
export class RequestError extends Error {
  /**
   * @param {number} statusCode
   * @param {string} code
   * @param {string} message
   */
  constructor(statusCode, code, message) {
    super(message);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/** @param {string} message */
export function invalidArgument(message) {
  return new RequestError(400, 'INVALID_ARGUMENT', message);
}

/** The bytes are not the message they should be. */
export class UnreadableMessage extends Error {}

/** The recommender did not answer, or with something that cannot be read. */
export class RecommenderUnavailable extends Error {}

/** The recommender understood the question and will not answer it; the message is fit for whoever asked. */
export class RecommenderRefused extends Error {}
