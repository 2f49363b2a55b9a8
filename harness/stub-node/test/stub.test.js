import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { FrameSplitter } from '../src/frames.js';
import { Stub } from '../src/index.js';
import { conversation, frames, framed, parseResponses, start } from './conversation.js';
import { plain } from './observations.js';

/** @typedef {import('./conversation.js').RequestInit} RequestInit */

const JSON_FORMAT = 2;

/** @param {string} messageType @param {string} value @param {RequestInit} [rest] @returns {RequestInit} */
const json = (messageType, value, rest = {}) => ({ messageType, payload: { case: 'jsonPayload', value }, ...rest });

/** @param {Iterable<Uint8Array>} chunks @param {string[]} [args] */
const talk = (chunks, args) => conversation(start('participant.js', args), chunks);

/** @param {RequestInit} request */
async function answerTo(request) {
  const { responses, exitCode } = await talk([frames(request)]);
  assert.equal(exitCode, 0);
  assert.equal(responses.length, 1);
  return /** @type {import('./conversation.js').Response} */ (responses[0]);
}

/** @param {RequestInit} request */
const resultOf = async (request) => {
  const { result } = await answerTo(request);
  return [result.case, result.value];
};

test('a request that comes in two parts is answered, wherever it is cut, and the one before it at once', async () => {
  const first = frames(json('test.Quiet', '"first"', { requestedOutputFormat: JSON_FORMAT, sequence: 1n }));
  const second = frames(json('test.Quiet', '{"a":"ü"}', { requestedOutputFormat: JSON_FORMAT, sequence: 2n }));
  const child = start('participant.js');
  const answers = eachResponse(child);
  for (let cut = 1; cut < second.length; cut += 1) {
    child.stdin.write(Buffer.concat([first, second.subarray(0, cut)]));
    assert.deepEqual(summary(await answers.next()), [1n, '"first"'], `cut at ${cut}`);
    child.stdin.write(second.subarray(cut));
    assert.deepEqual(summary(await answers.next()), [2n, '{"a":"ü"}'], `cut at ${cut}`);
  }
  child.stdin.end();
  assert.deepEqual(await once(child, 'close'), [0, null]);
});

/** @param {ReturnType<typeof start>} child */
async function* eachResponse(child) {
  const splitter = new FrameSplitter();
  for await (const chunk of child.stdout) {
    for (const frame of splitter.feed(chunk)) yield* parseResponses(framed(frame));
  }
}

/** @param {IteratorResult<import('./conversation.js').Response, void>} next */
const summary = ({ value }) => [value?.sequence, value?.result.value];

test('10,000 requests sent at once are answered in their order', async () => {
  const requests = Array.from({ length: 10_000 }, (_, index) =>
    json(index % 3 === 0 ? 'test.Later' : 'test.Quiet', `[${index}]`, {
      lane: index % 3 === 0 ? 'promises' : '',
      requestedOutputFormat: JSON_FORMAT,
      sequence: BigInt(index + 1),
    }),
  );
  const { responses, exitCode } = await talk([frames(...requests)]);
  assert.equal(exitCode, 0);
  assert.deepEqual(
    responses.map(({ sequence, result }) => [sequence, result.case, result.value]),
    requests.map(({ sequence, payload }) => [sequence, 'jsonPayload', payload?.value]),
  );
});

test('a frame that is no request is refused, and the next one is answered', async () => {
  const garbage = [Buffer.of(0xff, 0xff), Buffer.from('not a request'), Buffer.of(0x0a, 100)].map(framed);
  const good = frames(json('test.Quiet', '1', { requestedOutputFormat: JSON_FORMAT, sequence: 5n }));
  const { responses, exitCode } = await talk([Buffer.concat([...garbage, good])]);
  assert.equal(exitCode, 0);
  assert.deepEqual(
    responses.map(({ result, sequence }) => [result.case, sequence]),
    [...garbage.map(() => ['runtimeError', 0n]), ['jsonPayload', 5n]],
  );
  assert.match(String(responses[0]?.result.value), /^the frame is no Request: /);
});

test('a frame that is too large ends the stub with one line, after what came before it', async () => {
  const request = frames(json('test.Quiet', '1', { sequence: 3n }));
  const huge = await talk([Buffer.concat([request, Buffer.of(0xff, 0xff, 0xff, 0xff)])]);
  assert.equal(huge.exitCode, 1);
  assert.equal(huge.stderr, 'stub: a frame of 4294967295 bytes is larger than the limit of 67108864\n');
  assert.deepEqual(
    huge.responses.map(({ sequence }) => sequence),
    [3n],
  );
  const limited = await talk([frames(json('test.Quiet', 'x'.repeat(200)))], ['--max-frame-bytes', '100']);
  assert.equal(limited.exitCode, 1);
  assert.match(limited.stderr, /^stub: a frame of \d+ bytes is larger than the limit of 100\n$/);
});

test('an end inside a frame ends the stub with one line, one between frames without', async () => {
  const request = frames(json('test.Quiet', '1', { sequence: 3n }));
  assert.deepEqual(await talk([]), { responses: [], stderr: '', exitCode: 0 });
  for (const end of [1, 4, request.length - 1]) {
    const { responses, stderr, exitCode } = await talk([request, request.subarray(0, end)]);
    assert.equal(exitCode, 1);
    assert.equal(stderr, 'stub: the input ended in the middle of a frame\n');
    assert.equal(responses.length, 1);
  }
});

test('what a decoder prints to stdout goes to stderr', async () => {
  const request = json('test.Echo', '[1]', { requestedOutputFormat: JSON_FORMAT });
  const { responses, stderr } = await talk([frames(request, request)]);
  assert.deepEqual(
    responses.map(({ result }) => result.value),
    ['[1]', '[1]'],
  );
  assert.equal(stderr, 'decoding [1]\nwithout a line end'.repeat(2));
});

test('each failure has its own kind of answer', async () => {
  const asJson = { requestedOutputFormat: JSON_FORMAT };
  assert.deepEqual(await resultOf(json('test.Throws', '1', asJson)), ['parseError', 'null']);
  assert.match(String(await resultOf(json('test.Quiet', '{'))), /^parseError,.*JSON/);
  assert.deepEqual(await resultOf(json('test.BadEncoder', 'x', asJson)), ['serializeError', 'no']);
  assert.match(String(await resultOf(json('test.BadEncoder', 'null', asJson))), /^serializeError,.*returned null/);
  assert.match(String(await resultOf(json('test.BadEncoder', 'bytes', asJson))), /^serializeError,.*UTF-8/);
  assert.deepEqual(await resultOf(json('test.Value', 'function', { observe: true })), [
    'runtimeError',
    'a function cannot be observed; a decoder returns data',
  ]);
  assert.deepEqual(await resultOf(json('test.Value', 'getter', { observe: true })), [
    'runtimeError',
    'a getter failed',
  ]);
  assert.match(String(await resultOf(json('test.Value', 'too deep', { observe: true }))), /^runtimeError,.*200 levels/);
  const deep = await answerTo(json('test.Value', 'deep enough', { observe: true }));
  assert.deepEqual([deep.result.case, plain(deep.observation)[0]], [undefined, 'list']);
});

test('bytes are answered with bytes, and an observation stays beside a failure', async () => {
  /** @type {RequestInit} */
  const raw = { messageType: 'test.Quiet', payload: { case: 'rawJsonPayload', value: Buffer.from('1') } };
  assert.deepEqual(await resultOf({ ...raw, requestedOutputFormat: JSON_FORMAT }), [
    'rawJsonPayload',
    Buffer.from('1'),
  ]);
  const failed = await answerTo(json('test.BadEncoder', 'x', { requestedOutputFormat: JSON_FORMAT, observe: true }));
  assert.deepEqual([failed.result.case, plain(failed.observation)], ['serializeError', ['text', 'x']]);
  const settled = json('test.Later', '{"refuse":true}', { lane: 'promises', requestedOutputFormat: JSON_FORMAT });
  assert.deepEqual(await resultOf(settled), ['serializeError', 'not written']);
  assert.equal((await resultOf({ ...settled, payload: { case: 'jsonPayload', value: '{' } }))[0], 'parseError');
});

test('one format is read and another one written', async () => {
  const request = json('test.Echo', '"x"', { requestedOutputFormat: 1 });
  assert.deepEqual(await resultOf(request), ['protobufPayload', Buffer.from('x')]);
});

test('what the stub cannot do is skipped, with the reason', async () => {
  /** @type {[RequestInit, string][]} */
  const cases = [
    [json('test.Nothing', '1'), 'this stub has no message test.Nothing in the lane json'],
    [json('test.Quiet', '1', { lane: 'x' }), 'this stub has no lane x; it has json, promises'],
    [json('test.Quiet', '1', { schemaId: 'x' }), 'this stub brings its own messages; it has no schema x'],
    [json('test.Quiet', '1', { requestedOutputFormat: 4 }), 'this stub does not write test.Quiet as TEXT_FORMAT'],
    [{ messageType: 'test.Quiet' }, 'the request has no payload that this stub knows'],
    [
      { messageType: 'test.Quiet', payload: { case: 'textPayload', value: '' } },
      'this stub does not read test.Quiet from a text_payload',
    ],
    [
      { messageType: 'test.Echo', payload: { case: 'protobufPayload', value: Buffer.of() } },
      'this stub does not read test.Echo from a protobuf_payload',
    ],
    [{ payload: { case: 'loadSchema', value: {} } }, 'this stub brings its own messages and loads no schema'],
  ];
  const { responses } = await talk([frames(...cases.map(([request]) => request))]);
  assert.deepEqual(
    responses.map(({ result }) => [result.case, result.value]),
    cases.map(([, reason]) => ['skipped', reason]),
  );
});

test('a stub describes itself, and expects no failures', async () => {
  const [, description] = await resultOf({ payload: { case: 'hello', value: { protocolVersion: 1 } } });
  const { $typeName, ...told } = /** @type {any} */ (description);
  assert.deepEqual(told, {
    protocolVersion: 1,
    language: 'javascript',
    runtime: 'json',
    runtimeVersion: '1',
    lanes: ['json', 'promises'],
    messageTypes: [
      'test.Echo',
      'test.Quiet',
      'test.Value',
      'test.BadEncoder',
      'test.Exit',
      'test.Throws',
      'test.Later',
    ],
    formats: [2, 1],
    loadsSchemas: false,
    observes: true,
  });
  /** @type {RequestInit} */
  const expected = { messageType: 'conformance.FailureSet', payload: { case: 'protobufPayload', value: Buffer.of() } };
  assert.deepEqual(await resultOf(expected), ['protobufPayload', Buffer.of()]);
});

test('a participant that ends the process keeps no earlier answer back', async () => {
  const { responses, exitCode } = await talk([
    frames(json('test.Quiet', '1', { sequence: 1n }), json('test.Exit', '')),
  ]);
  assert.equal(exitCode, 7);
  assert.deepEqual(
    responses.map(({ sequence }) => sequence),
    [1n],
  );
});

test('a wrong command line is refused with one line', async () => {
  for (const args of [['--max-frame-bytes', 'many'], ['--max-frame-bytes', '0'], ['--what'], ['x']]) {
    const { stderr, exitCode } = await talk([], args);
    assert.equal(exitCode, 2);
    assert.match(stderr, /^stub: .+\n$/);
  }
});

test('a message is registered once for each format and lane', () => {
  const stub = new Stub({ runtime: 'json', version: '1' });
  stub.json('a.B', {});
  stub.json('a.B', { lane: 'other' });
  stub.protobuf('a.B', {});
  assert.throws(() => stub.json('a.B', {}), /a\.B is registered twice for one format in lane json/);
});
