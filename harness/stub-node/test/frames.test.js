import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FrameSplitter, FrameTooLarge } from '../src/frames.js';
import { framed } from './conversation.js';

const MESSAGES = [Buffer.from('one'), Buffer.alloc(0), Buffer.alloc(300, 7), Buffer.from('last')];
const STREAM = Buffer.concat(MESSAGES.map(framed));

test('a stream cut in two anywhere yields the same frames', () => {
  for (let cut = 0; cut <= STREAM.length; cut += 1) {
    const splitter = new FrameSplitter();
    const found = [STREAM.subarray(0, cut), STREAM.subarray(cut)].flatMap((chunk) => [...splitter.feed(chunk)]);
    assert.deepEqual(found, MESSAGES, `cut at ${cut}`);
    assert.equal(splitter.insideFrame, false);
  }
});

test('a stream that comes byte by byte yields the same frames', () => {
  const splitter = new FrameSplitter();
  assert.deepEqual(
    [...STREAM].flatMap((byte) => [...splitter.feed(Buffer.of(byte))]),
    MESSAGES,
  );
});

test('a stream may end between two frames only', () => {
  const ends = new Set(MESSAGES.map((_, index) => Buffer.concat(MESSAGES.slice(0, index + 1).map(framed)).length)).add(
    0,
  );
  for (let end = 0; end <= STREAM.length; end += 1) {
    const splitter = new FrameSplitter();
    Array.from(splitter.feed(STREAM.subarray(0, end)));
    assert.equal(splitter.insideFrame, !ends.has(end), `end at ${end}`);
  }
});

test('a frame that is announced too large is refused before it comes, and one at the limit is not', () => {
  const splitter = new FrameSplitter(300);
  assert.equal([...splitter.feed(framed(Buffer.alloc(300)))].length, 1);
  assert.throws(() => [...splitter.feed(Buffer.of(45, 1, 0, 0))], new FrameTooLarge(301, 300));
});
