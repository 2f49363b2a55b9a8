const INITIAL_BYTES = 128 * 1024;
const LONGEST_SIMPLE_TEXT = 48;
const MAX_VARINT_BYTES = 10;
const LONE_SURROGATE = /\p{Surrogate}/u;
const QUIET_NAN = Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f);

/**
 * Writes the binary format of protobuf into a buffer that grows.
 *
 * What has a length is written before the length is known: `begin` leaves one byte for it, and `end` moves what came
 * since when it needs more.
 */
export class Writer {
  #buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  #completeBytes = 0;
  position = 0;

  /** The frames that are complete, once: a view, valid until more is written or `clear` is called. */
  takeFrames() {
    const frames = this.#buffer.subarray(0, this.#completeBytes);
    this.#completeBytes = 0;
    return frames;
  }

  /** Forget what was written, and what it took to hold that. */
  clear() {
    this.position = 0;
    this.#completeBytes = 0;
    if (this.#buffer.length > INITIAL_BYTES) this.#buffer = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  /** @param {number} bytes */
  #reserve(bytes) {
    const needed = this.position + bytes;
    if (needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, this.position);
    this.#buffer = larger;
  }

  /** Start a frame. @returns {number} where it starts, for `endFrame` */
  beginFrame() {
    this.#reserve(4);
    this.position += 4;
    return this.position - 4;
  }

  /** @param {number} start */
  endFrame(start) {
    this.#buffer.writeUInt32LE(this.position - start - 4, start);
    this.#completeBytes = this.position;
  }

  /** @param {number} number from 0 to 2^32 - 1 */
  varint(number) {
    this.#reserve(5);
    while (number > 0x7f) {
      this.#buffer[this.position++] = (number & 0x7f) | 0x80;
      number >>>= 7;
    }
    this.#buffer[this.position++] = number;
  }

  /** @param {bigint} number from 0 to 2^64 - 1 */
  varint64(number) {
    if (number <= 0xffffffffn) return this.varint(Number(number));
    this.#reserve(MAX_VARINT_BYTES);
    while (number > 0x7fn) {
      this.#buffer[this.position++] = Number(number & 0x7fn) | 0x80;
      number >>= 7n;
    }
    this.#buffer[this.position++] = Number(number);
  }

  /** @param {number} number of type int32; a negative one takes the form of its 64 bits */
  int32(number) {
    if (number >= 0) this.varint(number);
    else this.varint64(BigInt.asUintN(64, BigInt(number)));
  }

  /** The bits of a binary64, every NaN being the same one. @param {number} number */
  float64(number) {
    this.#reserve(8);
    if (number === number) this.#buffer.writeDoubleLE(number, this.position);
    else this.#buffer.set(QUIET_NAN, this.position);
    this.position += 8;
  }

  /** @param {Uint8Array} bytes as they are, without a length */
  raw(bytes) {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.position);
    this.position += bytes.length;
  }

  /** @param {Uint8Array} bytes */
  delimited(bytes) {
    this.varint(bytes.length);
    this.raw(bytes);
  }

  /** A string, with U+FFFD in place of each lone surrogate. @param {string} text */
  string(text) {
    if (this.#shortAscii(text)) return;
    this.#reserve(5 + 3 * text.length);
    const sizeBytes = Buffer.byteLength(text);
    this.varint(sizeBytes);
    this.position += this.#buffer.write(text, this.position);
  }

  /** @param {string} text @returns {boolean} whether it is short and ASCII, and was written */
  #shortAscii(text) {
    const { length } = text;
    if (length > LONGEST_SIMPLE_TEXT) return false;
    this.#reserve(1 + length);
    const buffer = this.#buffer;
    let position = this.position;
    buffer[position++] = length;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return false;
      buffer[position++] = code;
    }
    this.position = position;
    return true;
  }

  /** A string, with each lone surrogate in three bytes as if it were a code point. @param {string} text */
  anyString(text) {
    if (this.#shortAscii(text)) return;
    if (!LONE_SURROGATE.test(text)) {
      this.string(text);
      return;
    }
    const start = this.begin();
    for (const character of text) {
      const code = character.codePointAt(0) ?? 0;
      if (code < 0xd800 || code > 0xdfff) this.raw(Buffer.from(character));
      else this.raw(Uint8Array.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)));
    }
    this.end(start);
  }

  /** Start what has a length. @returns {number} where it starts, for `end` */
  begin() {
    this.#reserve(1);
    this.position += 1;
    return this.position;
  }

  /** @param {number} start */
  end(start) {
    const length = this.position - start;
    if (length <= 0x7f) {
      this.#buffer[start - 1] = length;
      return;
    }
    const extraBytes = length < 1 << 14 ? 1 : length < 1 << 21 ? 2 : length < 1 << 28 ? 3 : 4;
    this.#reserve(extraBytes);
    this.#buffer.copyWithin(start + extraBytes, start, this.position);
    this.position = start - 1;
    this.varint(length);
    this.position += length;
  }
}
