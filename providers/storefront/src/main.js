import { readFile } from 'node:fs/promises';

import { ConfigError, readConfig } from './config.js';
import { readProfiles } from './profile-json.js';
import { ProfileStore } from './profile-store.js';
import { createGrpcRecommender } from './recommender-grpc.js';
import { createHttpRecommender } from './recommender-http.js';
import { buildServer } from './server.js';

const SEED = new URL('../data/profiles.json', import.meta.url);
// Longer than the recommender waits for the ranker, so that its fallback still arrives.
const RECOMMENDER_TIMEOUT_MS = 4000;
const SHUTDOWN_MS = 5000;

/** @param {string} line */
function log(line) {
  process.stderr.write(`storefront: ${line.replaceAll(/\s*\n\s*/g, ' ')}\n`);
}

async function run() {
  const { host, port, recommenderUrl, recommenderGrpcUrl, providerStatesEnabled } = readConfig(process.env);
  const app = await buildServer({
    profiles: new ProfileStore(readProfiles(await readFile(SEED))),
    recommenders: {
      HTTP: createHttpRecommender({ url: recommenderUrl, timeoutMs: RECOMMENDER_TIMEOUT_MS }),
      GRPC: createGrpcRecommender({ url: recommenderGrpcUrl, timeoutMs: RECOMMENDER_TIMEOUT_MS }),
    },
    providerStatesEnabled,
    log,
  });
  stopOnSignal(app);
  log(`listening on ${await app.listen({ host, port })}`);
}

/** @param {import('fastify').FastifyInstance} app */
function stopOnSignal(app) {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(0), SHUTDOWN_MS);
    await app.close();
    log('stopped');
    process.exit(0);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

try {
  await run();
} catch (error) {
  log(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof ConfigError ? 2 : 1;
}
