/** Frames: the length of a message as a little-endian uint32, then the message. Pure. */

export const DEFAULT_MAX_FRAME_BYTES = 64 * 1024 * 1024;
export const HEADER_BYTES = 4;

/** A frame announces more than its reader is willing to take. */
export class FrameTooLarge extends Error {
  /** @param {number} sizeBytes @param {number} maxBytes */
  constructor(sizeBytes, maxBytes) {
    super(`a frame of ${sizeBytes} bytes is larger than the limit of ${maxBytes}`);
  }
}

/** Cuts a stream that arrives in arbitrary chunks into frames. */
export class FrameSplitter {
  #maxFrameBytes;
  /** @type {Buffer[]} */
  #chunks = [];
  #heldBytes = 0;
  // Until so much is there, chunks are only collected: a large frame is put together once.
  #neededBytes = HEADER_BYTES;

  /** @param {number} [maxFrameBytes] */
  constructor(maxFrameBytes = DEFAULT_MAX_FRAME_BYTES) {
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Whether the stream cannot end here. */
  get insideFrame() {
    return this.#heldBytes > 0;
  }

  /**
   * Each message that the chunk completes; to be taken to its end before the next chunk.
   *
   * @param {Buffer} chunk is kept, and so are parts of it in what is yielded
   * @returns {Generator<Buffer, void>}
   * @throws {FrameTooLarge}
   */
  *feed(chunk) {
    this.#chunks.push(chunk);
    this.#heldBytes += chunk.length;
    if (this.#heldBytes < this.#neededBytes) return;
    const data = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks);
    let position = 0;
    this.#neededBytes = HEADER_BYTES;
    while (data.length - position >= HEADER_BYTES) {
      const sizeBytes = data.readUInt32LE(position);
      if (sizeBytes > this.#maxFrameBytes) throw new FrameTooLarge(sizeBytes, this.#maxFrameBytes);
      const start = position + HEADER_BYTES;
      if (data.length - start < sizeBytes) {
        this.#neededBytes = HEADER_BYTES + sizeBytes;
        break;
      }
      position = start + sizeBytes;
      yield data.subarray(start, position);
    }
    this.#heldBytes = data.length - position;
    this.#chunks = this.#heldBytes > 0 ? [data.subarray(position)] : [];
  }
}
