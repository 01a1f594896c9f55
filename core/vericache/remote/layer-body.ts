import type { NativeMemory } from '../../ort';
import { ChunkSum } from '../../storage';
import type { CacheLayout, CacheRows } from '../store/cache-layout';
import { BLOCK_TOKENS } from '../full-cache';

const SUM_BYTES = 8;

type Chunks = Pick<CacheLayout, 'regions' | 'blockBytes'>;

/**
 * The first blocks of a layer as they travel: a sum of each chunk (`ChunkSum`, 64 bits, little-endian), then the chunks;
 * both in the order keys of head 0, 1, ..., values of head 0, 1, ..., of each head block by block, `[BLOCK_TOKENS,
 * headDim]` float32.
 */
export function layerBodyBytes({ regions, blockBytes }: Chunks, blocks: number): number {
  return regions * blocks * (SUM_BYTES + blockBytes);
}

/** @param memory begins with the chunks, one region right behind the other. @returns a copy with the sums. */
export function packLayer(chunks: Chunks, blocks: number, memory: NativeMemory): Buffer {
  const { regions, blockBytes } = chunks;
  const count = regions * blocks;
  const body = Buffer.allocUnsafe(layerBodyBytes(chunks, blocks));
  const sums = summerOf(memory.memory);
  for (let chunk = 0; chunk < count; chunk += 1) {
    body.writeBigUInt64LE(sums.sum(memory.byteOffset + chunk * blockBytes, blockBytes), chunk * SUM_BYTES);
  }
  body.set(memory.bytes.subarray(0, count * blockBytes), count * SUM_BYTES);
  return body;
}

/** Puts a body that comes in pieces where it belongs, with no memory of its own but for the sums. */
export class LayerUnpacker {
  private readonly sums: Buffer;
  private position = 0;

  /** @param target as `LayerRows`: its first rows are written. */
  constructor(
    private readonly chunks: Chunks,
    private readonly blocks: number,
    private readonly target: CacheRows,
  ) {
    this.sums = Buffer.alloc(chunks.regions * blocks * SUM_BYTES);
  }

  /** @returns false when this is more than the whole body: nothing of it is used then. */
  add(piece: Uint8Array): boolean {
    const { chunks, blocks, sums, target } = this;
    if (this.position + piece.byteLength > layerBodyBytes(chunks, blocks)) return false;
    const regionBytes = blocks * chunks.blockBytes;
    for (let from = 0; from < piece.byteLength;) {
      const at = this.position - sums.byteLength;
      const within = at < 0 ? 0 : at % regionBytes;
      const room = at < 0 ? -at : regionBytes - within;
      const part = piece.subarray(from, from + room);
      if (at < 0) sums.set(part, this.position);
      else target.memory.bytes.set(part, this.regionStart(Math.floor(at / regionBytes)) + within);
      this.position += part.byteLength;
      from += part.byteLength;
    }
    return true;
  }

  get isWhole(): boolean {
    return this.position === layerBodyBytes(this.chunks, this.blocks);
  }

  /** The lowest block with a chunk that is not what was sent; undefined when all are. */
  damagedBlock(): number | undefined {
    const { regions, blockBytes } = this.chunks;
    const { memory, byteOffset } = this.target.memory;
    const summer = summerOf(memory);
    for (let block = 0; block < this.blocks; block += 1) {
      for (let region = 0; region < regions; region += 1) {
        const sum = summer.sum(byteOffset + this.regionStart(region) + block * blockBytes, blockBytes);
        if (sum !== this.sums.readBigUInt64LE((region * this.blocks + block) * SUM_BYTES)) return block;
      }
    }
    return undefined;
  }

  private regionStart(region: number): number {
    return (region * this.target.capacity * this.chunks.blockBytes) / BLOCK_TOKENS;
  }
}

const summers = new WeakMap<WebAssembly.Memory, ChunkSum>();

/** An instance a memory, not a read. */
function summerOf(memory: WebAssembly.Memory): ChunkSum {
  const known = summers.get(memory) ?? new ChunkSum(memory);
  summers.set(memory, known);
  return known;
}
