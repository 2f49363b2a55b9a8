import { isUtf8 } from 'node:buffer';

const MAX_GROUP_DEPTH = 100;
const MAX_VARINT_BYTES = 10;

/** The bytes are no protobuf message, or not the one they should be. */
export class Malformed extends Error {}

/** Protobuf's wire types. */
export const WireType = /** @type {const} */ ({ VARINT: 0, FIXED64: 1, DELIMITED: 2, GROUP: 3, END: 4, FIXED32: 5 });

/** Reads the binary format of protobuf, one value after the other. */
export class Reader {
  /** @param {Buffer} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.position = 0;
    /** Of the field that `next` came to. */
    this.fieldNumber = 0;
    /** Of the field that `next` came to. */
    this.wireType = 0;
  }

  /** Go on to the next field; false at the end. */
  next() {
    if (this.position >= this.bytes.length) return false;
    const tag = this.uint32();
    this.fieldNumber = tag >>> 3;
    this.wireType = tag & 7;
    if (this.fieldNumber === 0) throw new Malformed('a field has the number 0');
    return true;
  }

  /** A varint's lowest 32 bits. */
  uint32() {
    const number = this.#smallVarint();
    return number >= 0 ? number : Number(BigInt.asUintN(32, this.#varint()));
  }

  uint64() {
    const number = this.#smallVarint();
    return number >= 0 ? BigInt(number) : this.#varint();
  }

  /** A varint of at most four bytes; -1 where there is none. */
  #smallVarint() {
    let number = 0;
    for (let index = 0; index < 4; index += 1) {
      const byte = this.bytes[this.position + index] ?? 0x80;
      number |= (byte & 0x7f) << (7 * index);
      if (byte < 0x80) {
        this.position += index + 1;
        return number;
      }
    }
    return -1;
  }

  #varint() {
    let value = 0n;
    for (let index = 0; index < MAX_VARINT_BYTES; index += 1) {
      const byte = this.bytes[this.position];
      if (byte === undefined) throw new Malformed('it ends in the middle of a number');
      this.position += 1;
      value |= BigInt(byte & 0x7f) << BigInt(7 * index);
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Malformed('a number has more than 10 bytes');
  }

  bool() {
    return this.uint64() !== 0n;
  }

  /** A field of type bytes or message: a view, not a copy. */
  delimited() {
    const length = this.uint32();
    const start = this.position;
    this.#advance(length);
    return this.bytes.subarray(start, this.position);
  }

  /** A field of type string, as its bytes: a view, not a copy. */
  utf8() {
    const bytes = this.delimited();
    if (!isUtf8(bytes)) throw new Malformed(`field ${this.fieldNumber} is not valid UTF-8`);
    return bytes;
  }

  string() {
    return this.utf8().toString();
  }

  /** Leave out the value of the field that `next` came to. */
  skip() {
    this.#skip(this.fieldNumber, this.wireType, 0);
  }

  /** @param {number} fieldNumber @param {number} wireType @param {number} depth */
  #skip(fieldNumber, wireType, depth) {
    if (wireType === WireType.VARINT) this.uint64();
    else if (wireType === WireType.FIXED64) this.#advance(8);
    else if (wireType === WireType.DELIMITED) this.#advance(this.uint32());
    else if (wireType === WireType.FIXED32) this.#advance(4);
    else if (wireType === WireType.GROUP) this.#skipGroup(fieldNumber, depth + 1);
    else throw new Malformed(`field ${fieldNumber} has the wire type ${wireType}`);
  }

  /** @param {number} groupNumber @param {number} depth */
  #skipGroup(groupNumber, depth) {
    if (depth > MAX_GROUP_DEPTH) throw new Malformed('groups are nested too deeply');
    while (this.next()) {
      const { fieldNumber, wireType } = this;
      if (wireType !== WireType.END) this.#skip(fieldNumber, wireType, depth);
      else if (fieldNumber === groupNumber) return;
      else throw new Malformed(`group ${groupNumber} ends as ${fieldNumber}`);
    }
    throw new Malformed(`group ${groupNumber} does not end`);
  }

  /** @param {number} length */
  #advance(length) {
    if (length > this.bytes.length - this.position) throw new Malformed('it ends in the middle of a field');
    this.position += length;
  }
}
