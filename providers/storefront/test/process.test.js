import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));

/**
 * @param {import('node:test').TestContext} t
 * @param {Record<string, string>} env
 */
function start(t, env) {
  const child = spawn(process.execPath, [MAIN], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text));
  const exited = once(child, 'close').then(([code]) => ({ code, ...output }));
  const listening = new Promise((resolve, reject) => {
    child.stderr.on('data', () => {
      const [, url] = /listening on (\S+)\n/.exec(output.stderr) ?? [];
      if (url !== undefined) resolve(url);
    });
    exited.then(() => reject(new Error(`it ended: ${output.stderr}`)), reject);
  });
  listening.catch(() => {});
  return { child, exited, listening };
}

for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT'])) {
  test(`${signal} ends the service, also with a connection that is kept alive`, async (t) => {
    const { child, exited, listening } = start(t, { PORT: '0' });
    const response = await fetch(`${await listening}/healthz`);
    assert.deepEqual(await response.json(), { status: 'ok' });
    child.kill(signal);
    const { code, stdout, stderr } = await exited;
    assert.equal(code, 0);
    assert.equal(stdout, '');
    assert.match(stderr, /^storefront: listening on http:\/\/127\.0\.0\.1:\d+\nstorefront: stopped\n$/);
  });
}

test('what is under way is finished before the service ends', async (t) => {
  const holder = net.createServer().listen(0, '127.0.0.1');
  t.after(() => holder.close());
  await once(holder, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (holder.address());
  const { child, exited, listening } = start(t, { PORT: '0', RECOMMENDER_URL: `http://127.0.0.1:${port}` });
  const asked = once(holder, 'connection');
  const answer = fetch(`${await listening}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"query":"{ recommendations { requestId } }"}',
  });
  const [socket] = await asked;
  child.kill('SIGTERM');
  await once(socket, 'data');
  socket.end('HTTP/1.1 200 OK\r\ncontent-length: 19\r\nconnection: close\r\n\r\n{"requestId":"r-1"}');
  assert.deepEqual(await (await answer).json(), { data: { recommendations: { requestId: 'r-1' } } });
  assert.equal((await exited).code, 0);
});

test('a taken port is named, with exit code 1', async (t) => {
  const holder = net.createServer().listen(0, '127.0.0.1');
  t.after(() => holder.close());
  await once(holder, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (holder.address());
  const { code, stderr } = await start(t, { PORT: String(port) }).exited;
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`^storefront: [^\\n]*127\\.0\\.0\\.1:${port}\\n$`));
});

test('a missing variable is named, with exit code 2', async (t) => {
  const { code, stderr } = await start(t, {}).exited;
  assert.equal(code, 2);
  assert.equal(stderr, 'storefront: PORT is not set; it must be a number from 0 to 65535, for example PORT=8080\n');
});
