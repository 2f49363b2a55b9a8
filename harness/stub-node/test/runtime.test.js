import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { create, createFileRegistry, equals, fromBinary, setExtension, toBinary } from '@bufbuild/protobuf';

import { conversation, frames, start } from './conversation.js';
import { plain } from './observations.js';
import { FILES, MESSAGE_COUNT, imageOf, registry } from './schema.js';

/** @typedef {import('./conversation.js').RequestInit} RequestInit */

const LANES = ['protobuf-es', 'protobufjs', 'protobufjs-object'];
const [PROTOBUF, JSON_FORMAT, TEXT] = [1, 2, 4];
const Everything = /** @type {import('@bufbuild/protobuf').DescMessage} */ (registry.getMessage('test.Everything'));
const Legacy = /** @type {import('@bufbuild/protobuf').DescMessage} */ (registry.getMessage('test.old.Legacy'));

const folder = mkdtempSync(join(tmpdir(), 'stub-'));
const image = join(folder, 'schema.binpb');
writeFileSync(image, imageOf(FILES));
after(() => rmSync(folder, { recursive: true }));

/** @param {RequestInit[]} requests @param {string[]} [args] */
async function ask(requests, args = ['--schema', image]) {
  const { responses, stderr, exitCode } = await conversation(start('../src/runtime.js', args), [frames(...requests)]);
  assert.deepEqual([stderr, exitCode, responses.length], ['', 0, requests.length]);
  return responses;
}

/** @param {RequestInit[]} requests @param {string[]} [args] */
const resultsOf = async (requests, args) =>
  (await ask(requests, args)).map(({ result }) => [result.case, result.value]);

/** @param {Uint8Array} value @param {RequestInit} [rest] @returns {RequestInit} */
const binary = (value, rest) => ({
  messageType: Everything.typeName,
  payload: { case: 'protobufPayload', value },
  ...rest,
});

/** @param {string} value @param {RequestInit} [rest] @returns {RequestInit} */
const json = (value, rest) => ({ messageType: Everything.typeName, payload: { case: 'jsonPayload', value }, ...rest });

/** @param {Record<string, unknown>} init */
const encoded = (init) => toBinary(Everything, create(Everything, /** @type {any} */ (init)));

const FULL = encoded({
  bigId: 9007199254740993n,
  ratio: -0,
  nickName: '',
  numbers: [0, -1],
  byName: { '\uffff': 1, '😀': 2, a: 3 },
  byId: { 10: true, '-9': false, '9007199254740993': true },
  contact: { case: 'phone', value: 0n },
  color: 7,
  note: '',
  extra: { k: [null, 1.5, { n: 'x' }] },
  raw: Uint8Array.of(0, 255),
  short: Math.fround(0.1),
  yes: true,
  byYes: { true: 't', false: 'f' },
  lateChild: { color: 2 },
});

/** @param {unknown} value @returns {unknown} */
const structValue = (value) => ['message', value];

const FULL_OBSERVED = [
  ['big_id', ['integer', '9007199254740993']],
  ['ratio', ['floatBits', 0x8000000000000000n]],
  ['nick_name', ['text', '']],
  [
    'numbers',
    [
      'list',
      [
        ['integer', '0'],
        ['integer', '-1'],
      ],
    ],
  ],
  [
    'by_name',
    [
      'map',
      [
        [
          ['text', 'a'],
          ['integer', '3'],
        ],
        [
          ['text', '\xef\xbf\xbf'],
          ['integer', '1'],
        ],
        [
          ['text', '\xf0\x9f\x98\x80'],
          ['integer', '2'],
        ],
      ],
    ],
  ],
  [
    'by_id',
    [
      'map',
      [
        [
          ['integer', '-9'],
          ['boolean', false],
        ],
        [
          ['integer', '10'],
          ['boolean', true],
        ],
        [
          ['integer', '9007199254740993'],
          ['boolean', true],
        ],
      ],
    ],
  ],
  ['phone', ['integer', '0']],
  ['color', ['enum', [7, '']]],
  ['note', ['message', {}]],
  [
    'extra',
    structValue({
      fields: [
        'map',
        [
          [
            ['text', 'k'],
            structValue({
              list_value: structValue({
                values: [
                  'list',
                  [
                    structValue({ null_value: ['enum', [0, 'NULL_VALUE']] }),
                    structValue({ number_value: ['floatBits', 0x3ff8000000000000n] }),
                    structValue({
                      struct_value: structValue({
                        fields: ['map', [[['text', 'n'], structValue({ string_value: ['text', 'x'] })]]],
                      }),
                    }),
                  ],
                ],
              }),
            }),
          ],
        ],
      ],
    }),
  ],
  ['raw', ['binary', '\x00\xff']],
  ['short', ['floatBits', 0x3fb99999a0000000n]],
  ['yes', ['boolean', true]],
  [
    'by_yes',
    [
      'map',
      [
        [
          ['boolean', false],
          ['text', 'f'],
        ],
        [
          ['boolean', true],
          ['text', 't'],
        ],
      ],
    ],
  ],
  ['late_child', ['message', { color: ['enum', [2, 'COLOR_RED']] }]],
];

test('every lane sees and re-encodes what the payload holds, in the order of the numbers', async () => {
  const responses = await ask(
    LANES.map((lane) => binary(FULL, { lane, observe: true, requestedOutputFormat: PROTOBUF })),
  );
  for (const [index, { result, observation }] of responses.entries()) {
    const [, fields] = plain(observation);
    assert.deepEqual(Object.entries(/** @type {object} */ (fields)), FULL_OBSERVED, LANES[index]);
    const again = fromBinary(Everything, /** @type {Uint8Array} */ (result.value));
    assert.ok(equals(Everything, again, fromBinary(Everything, FULL)), LANES[index]);
  }
});

test('a field that is not set, or is its default, is not listed', async () => {
  const zeros = Buffer.of(0x08, 0, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0x48, 0, 0x6a, 0, 0x78, 0);
  for (const payload of [zeros, Buffer.of()]) {
    const responses = await ask(LANES.map((lane) => binary(payload, { lane, observe: true })));
    for (const { observation, result } of responses) {
      assert.deepEqual([plain(observation), result.case], [['message', {}], undefined]);
    }
  }
});

test('unknown fields are counted where they are kept, and extensions are named', async () => {
  const extra = /** @type {import('@bufbuild/protobuf').DescExtension} */ (
    registry.getExtension('test.old.extra_text')
  );
  const message = create(Legacy, /** @type {any} */ ({ count: 0, last: 1 }));
  setExtension(message, extra, 'x');
  const unknown = Buffer.of(0xf0, 0x3f, 1, 0xfb, 0x3f, 0x08, 1, 0xfc, 0x3f); // 1022: a number, 1023: a group
  const payload = Buffer.concat([toBinary(Legacy, message), unknown]);
  const responses = await ask(
    LANES.map((lane) => binary(payload, { lane, observe: true, messageType: Legacy.typeName })),
  );
  const known = { count: ['integer', '0'], '[test.old.extra_text]': ['text', 'x'], last: ['integer', '1'] };
  assert.deepEqual(
    responses.map(({ observation }) => Object.entries(/** @type {object} */ (plain(observation)[1]))),
    [{ ...known, unknownBytes: BigInt(unknown.length) }, known, known].map(Object.entries),
  );
});

test('an extension that cannot be decoded is an unknown field', async () => {
  const [response] = await ask([binary(Buffer.of(0xa0, 6, 1), { observe: true, messageType: Legacy.typeName })]);
  assert.deepEqual(plain(response?.observation), ['message', { unknownBytes: 3n }]);
});

test('JSON is read and written by name, number and default', async () => {
  const text = '{"bigId":"9007199254740993","color":"COLOR_RED","note":"","nickName":null}';
  const requests = LANES.map((lane) => json(text, { lane, requestedOutputFormat: JSON_FORMAT }));
  const mapped = ['jsonPayload', '{"bigId":"9007199254740993","color":"COLOR_RED","note":""}'];
  const [es, js, object] = await resultsOf(requests);
  assert.deepEqual([es, sorted(js)], [mapped, sorted(mapped)]);
  assert.deepEqual(object, ['parseError', '.test.Everything.note: object expected']); // it knows no wrappers
});

/** @param {unknown[] | undefined} result @returns {unknown} */
const sorted = (result) => Object.entries(JSON.parse(String(result?.[1]))).sort();

test('fromObject takes what the JSON mapping refuses', async () => {
  const payload = '{"bigId":"1","yes":"no","what":1,"short":"NaN"}';
  const [es, js, object] = await resultsOf(
    LANES.map((lane) => json(payload, { lane, requestedOutputFormat: JSON_FORMAT })),
  );
  assert.deepEqual([es?.[0], js?.[0]], ['parseError', 'parseError']);
  assert.deepEqual(object, ['jsonPayload', '{"bigId":"1","short":"NaN","yes":true}']);
});

test('an unknown JSON field is refused, or ignored when that is asked for', async () => {
  for (const lane of LANES.slice(0, 2)) {
    const results = await resultsOf([
      json('{"what":1}', { lane, requestedOutputFormat: JSON_FORMAT }),
      json('{"what":1}', { lane, requestedOutputFormat: JSON_FORMAT, testCategory: 3 }),
    ]);
    assert.equal(results[0]?.[0], 'parseError');
    assert.deepEqual(results[1], ['jsonPayload', '{}']);
  }
});

test('raw JSON is read as bytes from a socket are', async () => {
  /** @type {[Uint8Array, unknown][]} */
  const cases = [
    [Buffer.from('\ufeff{"nickName":"ü"}'), ['rawJsonPayload', Buffer.from('{"nickName":"ü"}')]],
    [Buffer.from('{"nickName":"\xff"}', 'latin1'), ['rawJsonPayload', Buffer.from('{"nickName":"\ufffd"}')]],
  ];
  for (const lane of LANES) {
    const requests = cases.map(([value]) => ({
      ...json('', { lane, requestedOutputFormat: JSON_FORMAT }),
      payload: /** @type {const} */ ({ case: 'rawJsonPayload', value }),
    }));
    assert.deepEqual(
      await resultsOf(requests),
      cases.map(([, expected]) => expected),
      lane,
    );
  }
  const [marked] = await resultsOf([json('\ufeff{}')]);
  assert.equal(marked?.[0], 'parseError');
});

test('text is read and written where the runtime can', async () => {
  const requests = LANES.map((lane) => ({
    ...json('', { lane, requestedOutputFormat: TEXT }),
    payload: /** @type {const} */ ({ case: 'textPayload', value: 'big_id: 1' }),
  }));
  const [es, js, object] = await resultsOf(requests);
  for (const result of [es, js]) assert.match(String(result), /^textPayload,big_id: 1\s*$/);
  assert.equal(object?.[0], 'skipped');
});

test('a payload that is refused is answered with the reason of the library', async () => {
  const results = await resultsOf(LANES.map((lane) => binary(Buffer.of(0x1a, 5), { lane })));
  for (const [kind, reason] of results) assert.ok(kind === 'parseError' && String(reason).length > 5);
});

test('a schema is loaded with its files in any order, and replaces the one of the same id', async () => {
  /** @param {readonly (typeof FILES)[number][]} files @returns {RequestInit} */
  const load = (files) => ({ payload: { case: 'loadSchema', value: { id: 's', fileDescriptorSet: imageOf(files) } } });
  const results = await resultsOf(
    [
      load(FILES),
      binary(Buffer.of(0x08, 1), { schemaId: 's', requestedOutputFormat: JSON_FORMAT }),
      ...LANES.map((lane) => binary(Buffer.of(0x08, 1), { schemaId: 's', lane, requestedOutputFormat: PROTOBUF })),
      load(FILES.slice(0, 1)),
      binary(Buffer.of(0x08, 1), { schemaId: 's' }),
    ],
    [],
  );
  const [first, asJson, es, js, object, second, gone] = results;
  assert.deepEqual(
    [first, second].map((loaded) => /** @type {any} */ (loaded)[1].messageCount),
    [MESSAGE_COUNT, 1],
  );
  assert.deepEqual(asJson, ['jsonPayload', '{"bigId":"1"}']);
  for (const result of [es, js, object]) assert.deepEqual(result, ['protobufPayload', Buffer.of(0x08, 1)]);
  assert.deepEqual(gone, ['skipped', 'the schema has no message test.Everything']);
});

test('a schema that cannot be used is refused with what is wrong', async () => {
  const [legacy, everything] = FILES;
  if (legacy === undefined || everything === undefined) throw new Error('the schema has two files of its own');
  const cyclic = [
    { ...legacy, name: 'a.proto', package: 'a', dependency: ['b.proto'] },
    { ...legacy, name: 'b.proto', package: 'b', dependency: ['a.proto'] },
  ];
  const broken = { ...everything, dependency: [] };
  /** @type {[string, Uint8Array, string | RegExp][]} */
  const cases = [
    ['s', imageOf([everything]), 'everything.proto imports google/protobuf/wrappers.proto, which is not in the schema'],
    ['s', imageOf(cyclic), 'these files import each other: a.proto -> b.proto -> a.proto'],
    ['s', imageOf([legacy, { ...legacy, package: 'x' }]), 'there are two different files of the name legacy.proto'],
    ['s', imageOf([broken]), /^the schema is not valid: /],
    ['s', Buffer.of(0x0a), /^not a FileDescriptorSet: /],
    ['', imageOf([legacy]), 'a schema to load needs an id'],
  ];
  const results = await resultsOf(
    cases.map(([id, fileDescriptorSet]) => ({ payload: { case: 'loadSchema', value: { id, fileDescriptorSet } } })),
    [],
  );
  for (const [index, [kind, reason]] of results.entries()) {
    assert.equal(kind, 'runtimeError');
    const expected = /** @type {string | RegExp} */ (cases[index]?.[2]);
    if (typeof expected === 'string') assert.equal(reason, expected);
    else assert.match(String(reason), expected);
  }
});

test('what the stub cannot do is skipped, with the reason', async () => {
  const results = await resultsOf([
    binary(Buffer.of(), { messageType: 'test.Nothing' }),
    binary(Buffer.of(), { messageType: 'test.Color' }),
    binary(Buffer.of(), { lane: 'x' }),
    binary(Buffer.of(), { schemaId: 'x' }),
    binary(Buffer.of(), { requestedOutputFormat: 3 }),
    { ...binary(Buffer.of()), payload: { case: 'jspbPayload', value: '' } },
  ]);
  assert.deepEqual(results, [
    ['skipped', 'the schema has no message test.Nothing'],
    ['skipped', 'the schema has no message test.Color'],
    ['skipped', `this stub has no lane x; it has ${LANES.join(', ')}`],
    ['skipped', 'no schema x is loaded'],
    ['skipped', 'this stub does not write test.Everything as JSPB'],
    ['skipped', 'this stub does not read test.Everything from a jspb_payload'],
  ]);
  const [unloaded] = await resultsOf([binary(Buffer.of())], []);
  assert.deepEqual(unloaded, ['skipped', 'no schema was preloaded']);
});

test('the stub describes all of its lanes, or the one that is asked for', async () => {
  const requests = ['', ...LANES].map((lane) => ({ lane, payload: { case: 'hello', value: {} } }));
  const results = await resultsOf(/** @type {RequestInit[]} */ (requests), ['--lane', 'protobufjs']);
  const told = results.map(([, description]) => {
    const { runtime, lanes, formats, loadsSchemas } = /** @type {any} */ (description);
    assert.deepEqual([lanes, loadsSchemas], [['protobufjs', 'protobuf-es', 'protobufjs-object'], true]);
    return [runtime, formats];
  });
  assert.deepEqual(told, [
    ['protobufjs', [1, 2, 4]],
    ['@bufbuild/protobuf', [1, 2, 4]],
    ['protobufjs', [1, 2, 4]],
    ['protobufjs', [1, 2]],
  ]);
});

test('a wrong command line is refused with one line', async () => {
  const garbage = join(folder, 'garbage.binpb');
  writeFileSync(garbage, 'garbage');
  for (const args of [['--schema', join(folder, 'none')], ['--schema', garbage], ['--lane', 'x'], ['--what']]) {
    const { stderr, exitCode } = await conversation(start('../src/runtime.js', args), []);
    assert.equal(exitCode, 2);
    assert.match(stderr, /^stub: .+\n$/);
  }
});

test('several images are one schema', async () => {
  const images = FILES.map((file, index) => {
    const path = join(folder, `${index}.binpb`);
    writeFileSync(path, imageOf([file]));
    return path;
  });
  for (const args of [['--schema', ...images], images.flatMap((path) => ['--schema', path])]) {
    const [result] = await resultsOf([binary(Buffer.of(), { requestedOutputFormat: JSON_FORMAT })], args);
    assert.deepEqual(result, ['jsonPayload', '{}']);
  }
});

test('the schema of the tests is one that the library takes', () => {
  assert.ok(createFileRegistry(registry).getMessage('test.Everything'));
});
