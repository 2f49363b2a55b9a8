/** Serves a stub on this process's stdin and stdout. */

import { writeSync } from 'node:fs';

import { Answerer, reasonOf } from './answers.js';
import { DEFAULT_MAX_FRAME_BYTES, FrameSplitter } from './frames.js';
import { Writer } from './writer.js';

const STDOUT = 1;
const WRITE_BYTES = 64 * 1024;

/** What every stub understands, for `parseArgs`. */
export const OPTIONS = /** @type {const} */ ({ 'max-frame-bytes': { type: 'string' } });

/** The command line is not one that the stub understands. */
export class Misused extends Error {}

/**
 * @param {string | undefined} text the value of `--max-frame-bytes`
 * @throws {Misused}
 */
export function parseMaxFrameBytes(text) {
  if (text === undefined) return DEFAULT_MAX_FRAME_BYTES;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new Misused(`--max-frame-bytes: not a positive number: ${text}`);
  return Number(text);
}

/** @param {string} text */
export function complain(text) {
  process.stderr.write(`stub: ${text}\n`);
}

/**
 * Answer requests until the input ends, then end the process: 0, or 1 when the input ends badly.
 *
 * From here on stdout belongs to the answers: what else is printed goes to stderr.
 *
 * @param {import('./answers.js').Codecs} codecs
 * @param {number} maxFrameBytes
 * @returns {Promise<never>}
 */
export async function serveProcess(codecs, maxFrameBytes) {
  const write = takeStdout();
  const writer = new Writer();
  // Whoever ends the process in the middle of a request keeps no earlier answer back.
  process.once('exit', () => writeAtExit(writer));
  try {
    await serve(new Answerer(codecs, writer), writer, process.stdin, write, new FrameSplitter(maxFrameBytes));
  } catch (error) {
    complain(reasonOf(error));
    process.exit(1);
  }
  process.exit(0);
}

/**
 * Answer every frame that comes, in order. Answers are held back only while requests are at hand: at the latest before
 * it waits for more, all are written.
 *
 * @param {Answerer} answerer
 * @param {Writer} writer
 * @param {AsyncIterable<Buffer>} input
 * @param {(bytes: Buffer) => Promise<void>} write
 * @param {FrameSplitter} splitter
 */
async function serve(answerer, writer, input, write, splitter) {
  const flush = async () => {
    await write(writer.takeFrames());
    writer.clear();
  };
  for await (const chunk of input) {
    for (const frame of splitter.feed(chunk)) {
      const pending = answerer.answer(frame);
      if (pending !== undefined) await pending;
      if (writer.position >= WRITE_BYTES) await flush();
    }
    if (writer.position > 0) await flush();
  }
  if (splitter.insideFrame) throw new Error('the input ended in the middle of a frame');
}

/** @returns {(bytes: Buffer) => Promise<void>} writes to stdout, which nothing else does any more */
function takeStdout() {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  stdout.on('error', () => {}); // the callback below gets it too
  return (bytes) =>
    new Promise((resolve, reject) => {
      write(bytes, (error) =>
        error ? reject(new Error(`nobody reads the answers any more: ${error.message}`)) : resolve(),
      );
    });
}

/** @param {Writer} writer */
function writeAtExit(writer) {
  try {
    writeSync(STDOUT, writer.takeFrames());
  } catch {
    // There is nobody to tell.
  }
}
