import { seededRandom } from '../../../base';

/** How long chunks may be. */
export interface ChunkSizes {
  /** At least 32: so many bytes decide about a cut. */
  readonly minBytes: number;
  /** A power of two. */
  readonly averageBytes: number;
  readonly maxBytes: number;
}

/**
 * 1 MiB: a lost connection costs a second at most on a slow link, a hash is 64 of a million characters in a manifest,
 * and a file in the store is large enough for the disk to stream it.
 */
export const CHUNK_SIZES: ChunkSizes = { minBytes: 2 ** 18, averageBytes: 2 ** 20, maxBytes: 2 ** 22 };

/** The hash is of 32 bits and shifts by one a byte: what is further back has left it. */
const WINDOW_BYTES = 32;
/** Four positions are hashed at once, each so many bytes apart: their sums don't wait for one another. */
const STRIDE_BYTES = 2048;
const BLOCK_BYTES = 4 * STRIDE_BYTES;
/** How much stricter (below the average) and laxer (above) a cut is: FastCDC's normalisation level 2. */
const NORMALISATION_BITS = 2;
/** A constant of the format: with another, contents would be cut elsewhere and share nothing with what is stored. */
const GEAR_SEED = 0x5eed_c0de;

const GEAR = Int32Array.from(gearNumbers());

/**
 * Cuts where the content says so, so that an insertion moves only the cuts beside it (FastCDC: Xia et al., USENIX ATC
 * 2016: gear hash, no cut before the minimum, two masks around the average). Unlike there the hash at a position is
 * always that of the 32 bytes before it, which lets four positions be looked at together.
 */
export class ContentCutter {
  private readonly strictMask: number;
  private readonly laxMask: number;

  constructor(readonly sizes: ChunkSizes = CHUNK_SIZES) {
    const bits = Math.log2(sizes.averageBytes);
    this.strictMask = highBits(bits + NORMALISATION_BITS);
    this.laxMask = highBits(bits - NORMALISATION_BITS);
  }

  /**
   * Where the chunk that begins at `from` ends.
   * @param end of the content, or at least `maxBytes` behind `from`.
   */
  cut(bytes: Uint8Array, from: number, end: number): number {
    const { minBytes, averageBytes, maxBytes } = this.sizes;
    const last = Math.min(end, from + maxBytes);
    if (last - from <= minBytes) return last;
    const average = Math.min(last, from + averageBytes);
    const strict = findCut(bytes, from + minBytes, average, this.strictMask);
    return strict || findCut(bytes, average, last, this.laxMask) || last;
  }
}

/** The first cut behind `from`, or 0. */
function findCut(bytes: Uint8Array, from: number, to: number, mask: number): number {
  let at = from;
  for (; at + BLOCK_BYTES <= to; at += BLOCK_BYTES) {
    if (hasCut(bytes, at, mask)) return findCutOneByOne(bytes, at, at + BLOCK_BYTES, mask);
  }
  return findCutOneByOne(bytes, at, to, mask);
}

function hasCut(bytes: Uint8Array, from: number, mask: number): boolean {
  let hash0 = hashBefore(bytes, from);
  let hash1 = hashBefore(bytes, from + STRIDE_BYTES);
  let hash2 = hashBefore(bytes, from + 2 * STRIDE_BYTES);
  let hash3 = hashBefore(bytes, from + 3 * STRIDE_BYTES);
  const end = from + STRIDE_BYTES;
  for (let at = from; at < end; at += 1) {
    hash0 = ((hash0 << 1) + GEAR[bytes[at]!]!) | 0;
    hash1 = ((hash1 << 1) + GEAR[bytes[at + STRIDE_BYTES]!]!) | 0;
    hash2 = ((hash2 << 1) + GEAR[bytes[at + 2 * STRIDE_BYTES]!]!) | 0;
    hash3 = ((hash3 << 1) + GEAR[bytes[at + 3 * STRIDE_BYTES]!]!) | 0;
    if ((hash0 & mask) === 0 || (hash1 & mask) === 0 || (hash2 & mask) === 0 || (hash3 & mask) === 0) {
      return true;
    }
  }
  return false;
}

function findCutOneByOne(bytes: Uint8Array, from: number, to: number, mask: number): number {
  let hash = hashBefore(bytes, from);
  for (let at = from; at < to; at += 1) {
    hash = ((hash << 1) + GEAR[bytes[at]!]!) | 0;
    if ((hash & mask) === 0) return at + 1;
  }
  return 0;
}

function hashBefore(bytes: Uint8Array, end: number): number {
  let hash = 0;
  for (let at = end - WINDOW_BYTES; at < end; at += 1) hash = ((hash << 1) + GEAR[bytes[at]!]!) | 0;
  return hash;
}

/** The high bits depend on the most bytes. */
function highBits(count: number): number {
  return -1 << (32 - count);
}

function gearNumbers(): number[] {
  const random = seededRandom(GEAR_SEED);
  return Array.from({ length: 256 }, () => Math.floor(random() * 2 ** 32) | 0);
}
