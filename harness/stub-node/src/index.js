/**
 * The SDK for service stubs in JavaScript. It depends on no package.
 *
 *     import { Stub } from 'counterfoil-stub';
 *
 *     const stub = new Stub({ runtime: 'zod', version: '4.6.7' });
 *     stub.json('shop.v1.UserProfile', { decode: readProfile, encode: writeProfile });
 *     await stub.run();
 *
 * A decoder refuses a payload by throwing; what it returns is observed as it is, property by property.
 * `protos/counterfoil/stub/v1/stub.proto` describes the protocol.
 *
 * @module
 */
export { Stub } from './stub.js';

/** @typedef {import('./stub.js').Implementation} Implementation */
