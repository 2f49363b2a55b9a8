import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer, text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';

import { RequestSchema, ResponseSchema } from '../gen/counterfoil/stub/v1/stub_pb.js';

/**
 * @typedef {import('@bufbuild/protobuf').MessageInitShape<typeof RequestSchema>} RequestInit
 * @typedef {import('../gen/counterfoil/stub/v1/stub_pb.js').Response} Response
 */

const DEADLINE_MS = 30_000;

/** @param {Uint8Array} message */
export function framed(message) {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(message.length);
  return Buffer.concat([header, message]);
}

/** @param {RequestInit[]} requests */
export function frames(...requests) {
  return Buffer.concat(requests.map((request) => framed(toBinary(RequestSchema, create(RequestSchema, request)))));
}

/** @param {Buffer} bytes @returns {Response[]} */
export function parseResponses(bytes) {
  const responses = [];
  let position = 0;
  while (position < bytes.length) {
    const end = position + 4 + bytes.readUInt32LE(position);
    if (end > bytes.length)
      throw new Error(`the output ends in the middle of a frame, after ${responses.length} responses`);
    responses.push(fromBinary(ResponseSchema, bytes.subarray(position + 4, end), { recursionLimit: 1000 }));
    position = end;
  }
  return responses;
}

/** @param {string} program relative to this folder @param {string[]} args */
export function start(program, args = []) {
  const path = fileURLToPath(new URL(program, import.meta.url));
  return spawn(process.execPath, [path, ...args], { timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
}

/**
 * What a program answers, and how it ends, when it is given these bytes and the end of its input.
 *
 * @param {ReturnType<typeof start>} child
 * @param {Iterable<Uint8Array>} chunks are written one after the other
 */
export async function conversation(child, chunks) {
  const output = Promise.all([buffer(child.stdout), text(child.stderr), once(child, 'close')]);
  child.stdin.on('error', () => {}); // a program that ends early reads no more
  for (const chunk of chunks) {
    if (!child.stdin.write(chunk)) await Promise.race([once(child.stdin, 'drain'), once(child, 'exit')]);
  }
  child.stdin.end();
  const [stdout, stderr, [exitCode]] = await output;
  return { responses: parseResponses(stdout), stderr, exitCode };
}
