/**
 * @typedef {object} Config
 * @property {string} host
 * @property {number} port
 * @property {URL} recommenderUrl
 * @property {URL} recommenderGrpcUrl
 * @property {boolean} providerStatesEnabled
 */

/** An environment variable is missing or does not fit; the message is meant for the person who starts the service. */
export class ConfigError extends Error {}

// Nobody listens there: without a recommender the gateway still serves profiles, and says that it has none.
const NO_RECOMMENDER = 'http://127.0.0.1:2';

/**
 * @param {string | undefined} text
 * @returns {number}
 */
function readPort(text) {
  const port = Number(text);
  if (text === undefined || !/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new ConfigError(`PORT is ${shown(text)}; it must be a number from 0 to 65535, for example PORT=8080`);
  }
  return port;
}

/**
 * @param {string} name
 * @param {string} text
 * @returns {URL}
 */
function readUrl(name, text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new ConfigError(
      `${name} is ${shown(text)}; it must be an http(s) URL, for example ${name}=http://127.0.0.1:8081`,
    );
  }
  return url;
}

/**
 * @param {string} text
 * @returns {boolean}
 */
function readSwitch(text) {
  if (!['0', '1'].includes(text)) {
    throw new ConfigError(`PROVIDER_STATES is ${shown(text)}; it must be 0 or 1, for example PROVIDER_STATES=1`);
  }
  return text === '1';
}

/** @param {string | undefined} text */
function shown(text) {
  return text === undefined ? 'not set' : JSON.stringify(text);
}

/**
 * @param {Record<string, string | undefined>} env
 * @returns {Config}
 * @throws {ConfigError}
 */
export function readConfig(env) {
  return {
    host: env.HOST || '127.0.0.1',
    port: readPort(env.PORT),
    recommenderUrl: readUrl('RECOMMENDER_URL', env.RECOMMENDER_URL ?? NO_RECOMMENDER),
    recommenderGrpcUrl: readUrl('RECOMMENDER_GRPC_URL', env.RECOMMENDER_GRPC_URL ?? NO_RECOMMENDER),
    providerStatesEnabled: readSwitch(env.PROVIDER_STATES || '0'),
  };
}
