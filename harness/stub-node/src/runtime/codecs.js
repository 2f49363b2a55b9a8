/** The codecs for every message of the schemas that were loaded, in each lane. */

import { SchemaError, Unsupported } from '../answers.js';
import { readSchema } from './schemas.js';

/**
 * @typedef {import('../answers.js').Codec} Codec
 * @typedef {import('../answers.js').Codecs} Codecs
 * @typedef {import('./schemas.js').Schema} Schema
 * @typedef {(desc: import('@bufbuild/protobuf').DescMessage) => Codec} MakeCodec
 */

/**
 * One way in which this stub reads and writes messages.
 *
 * @typedef {object} Lane
 * @property {string} name
 * @property {string} runtime the package
 * @property {string} runtimeVersion
 * @property {readonly number[]} formats
 * @property {(schema: Schema) => MakeCodec} compile throws SchemaError
 */

/** @implements {Codecs} */
export class RuntimeCodecs {
  /** @type {ReadonlyMap<string, Lane>} */
  #lanes;
  #defaultLane;
  /** @type {Map<string, LoadedSchema>} */
  #schemas = new Map();

  /**
   * @param {readonly [Lane, ...Lane[]]} lanes the first is the default
   * @param {Schema} [preloaded] for requests that name no schema
   */
  constructor(lanes, preloaded) {
    this.#lanes = new Map(lanes.map((lane) => [lane.name, lane]));
    [this.#defaultLane] = lanes;
    if (preloaded !== undefined) this.#schemas.set('', new LoadedSchema(preloaded));
  }

  /** @type {Codecs['describe']} */
  describe(laneName) {
    const lanes = [...this.#lanes.values()];
    const { runtime, runtimeVersion } = this.#laneOf(laneName);
    const described = laneName === '' ? lanes : [this.#laneOf(laneName)];
    return {
      language: 'javascript',
      runtime,
      runtimeVersion,
      lanes: lanes.map(({ name }) => name),
      messageTypes: [],
      formats: [...new Set(described.flatMap(({ formats }) => formats))],
      loadsSchemas: true,
    };
  }

  /** @type {Codecs['loadSchema']} */
  loadSchema(id, fileDescriptorSet) {
    if (id === '') throw new SchemaError('a schema to load needs an id');
    const schema = readSchema([fileDescriptorSet]);
    this.#schemas.set(id, new LoadedSchema(schema));
    return schema.messageCount;
  }

  /** @type {Codecs['find']} */
  find({ lane, schemaId, messageType }) {
    const loaded = this.#schemas.get(schemaId);
    if (loaded === undefined) {
      throw new Unsupported(schemaId === '' ? 'no schema was preloaded' : `no schema ${schemaId} is loaded`);
    }
    return loaded.find(this.#laneOf(lane), messageType);
  }

  /** @param {string} name */
  #laneOf(name) {
    const lane = name === '' ? this.#defaultLane : this.#lanes.get(name);
    if (lane !== undefined) return lane;
    throw new Unsupported(`this stub has no lane ${name}; it has ${[...this.#lanes.keys()].join(', ')}`);
  }
}

/** A schema with the codecs that were asked for so far. */
class LoadedSchema {
  #schema;
  /** @type {Map<Lane, { make: MakeCodec, codecs: Map<string, Codec> }>} */
  #lanes = new Map();

  /** @param {Schema} schema */
  constructor(schema) {
    this.#schema = schema;
  }

  /** @param {Lane} lane @param {string} messageType */
  find(lane, messageType) {
    const compiled = this.#lanes.get(lane) ?? { make: lane.compile(this.#schema), codecs: new Map() };
    this.#lanes.set(lane, compiled);
    const known = compiled.codecs.get(messageType);
    if (known !== undefined) return known;
    const desc = this.#schema.registry.getMessage(messageType);
    if (desc === undefined) throw new Unsupported(`the schema has no message ${messageType}`);
    const codec = compiled.make(desc);
    compiled.codecs.set(messageType, codec);
    return codec;
  }
}
