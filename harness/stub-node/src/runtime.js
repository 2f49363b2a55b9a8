#!/usr/bin/env node
/** The runtime stub for Node: `node src/runtime.js [--schema IMAGE ...] [--lane NAME] [--max-frame-bytes N]`. */

import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

import { SchemaError, reasonOf } from './answers.js';
import { RuntimeCodecs } from './runtime/codecs.js';
import { protobufEs } from './runtime/protobuf-es.js';
import { protobufjs, protobufjsObject } from './runtime/protobufjs.js';
import { readSchema } from './runtime/schemas.js';
import { Misused, OPTIONS, complain, parseMaxFrameBytes, serveProcess } from './serving.js';

const LANES = [protobufEs, protobufjs, protobufjsObject];

/**
 * @param {string[]} args
 * @returns {{ codecs: RuntimeCodecs, maxFrameBytes: number }}
 */
function configure(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true, // more images
    options: { ...OPTIONS, schema: { type: 'string', multiple: true }, lane: { type: 'string' } },
  });
  const images = [...(values.schema ?? []), ...positionals];
  const schema = images.length > 0 ? readSchema(images.map((path) => readFileSync(path))) : undefined;
  return {
    codecs: new RuntimeCodecs(lanesFrom(values.lane ?? protobufEs.name), schema),
    maxFrameBytes: parseMaxFrameBytes(values['max-frame-bytes']),
  };
}

/**
 * @param {string} name of the lane that is to be the default
 * @returns {[import('./runtime/codecs.js').Lane, ...typeof LANES]}
 */
function lanesFrom(name) {
  const first = LANES.find((lane) => lane.name === name);
  if (first === undefined)
    throw new Misused(`--lane: no lane ${name}; there are ${LANES.map((lane) => lane.name).join(', ')}`);
  return [first, ...LANES.filter((lane) => lane !== first)];
}

/** @param {unknown} error */
function isMisuse(error) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return error instanceof Misused || error instanceof SchemaError || /^(ERR_PARSE_ARGS|E[A-Z]+$)/.test(code);
}

try {
  const { codecs, maxFrameBytes } = configure(process.argv.slice(2));
  await serveProcess(codecs, maxFrameBytes);
} catch (error) {
  if (!isMisuse(error)) throw error;
  complain(reasonOf(error));
  process.exitCode = 2;
}
