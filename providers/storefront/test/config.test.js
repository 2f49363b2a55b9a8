import assert from 'node:assert/strict';
import { test } from 'node:test';

import { ConfigError, readConfig } from '../src/config.js';
import { sessionFacts } from '../src/session.js';

test('only the port is required', () => {
  const { host, port, recommenderUrl, providerStatesEnabled } = readConfig({ PORT: '8080' });
  assert.deepEqual(
    { host, port, providerStatesEnabled },
    { host: '127.0.0.1', port: 8080, providerStatesEnabled: false },
  );
  assert.equal(recommenderUrl.hostname, '127.0.0.1');
});

test('every variable is read', () => {
  const config = readConfig({
    HOST: '::1',
    PORT: '1',
    RECOMMENDER_URL: 'http://recommender:8081/base',
    RECOMMENDER_GRPC_URL: 'https://recommender:9081',
    PROVIDER_STATES: '1',
  });
  assert.equal(config.host, '::1');
  assert.equal(config.recommenderUrl.href, 'http://recommender:8081/base');
  assert.equal(config.recommenderGrpcUrl.href, 'https://recommender:9081/');
  assert.equal(config.providerStatesEnabled, true);
});

test('a refusal names the variable and shows an example', () => {
  const broken = [
    [{}, /^PORT is not set; .* PORT=8080$/],
    [{ PORT: '' }, /^PORT is ""/],
    [{ PORT: '65536' }, /^PORT is "65536"/],
    [{ PORT: '-1' }, /^PORT/],
    [{ PORT: '1', RECOMMENDER_URL: 'recommender:8081' }, /^RECOMMENDER_URL is .*RECOMMENDER_URL=http/],
    [{ PORT: '1', RECOMMENDER_GRPC_URL: '' }, /^RECOMMENDER_GRPC_URL/],
    [{ PORT: '1', PROVIDER_STATES: 'yes' }, /^PROVIDER_STATES/],
  ];
  for (const [env, message] of /** @type {[Record<string, string>, RegExp][]} */ (broken)) {
    assert.throws(
      () => readConfig(env),
      (error) => error instanceof ConfigError && message.test(error.message),
    );
  }
});

test('the session is told by the headers', () => {
  const headers = { 'accept-language': 'de-de,en;q=0.5', 'sec-ch-ua-mobile': '?1' };
  assert.deepEqual(sessionFacts(headers), { locale: 'de-DE', attributes: { device: 'phone' } });
  assert.deepEqual(sessionFacts({ 'sec-ch-ua-mobile': '?0' }), {
    locale: undefined,
    attributes: { device: 'desktop' },
  });
  for (const language of ['*', '', 'not_a_tag', ';q=1']) {
    assert.deepEqual(sessionFacts({ 'accept-language': language }), { locale: undefined, attributes: {} });
  }
});
