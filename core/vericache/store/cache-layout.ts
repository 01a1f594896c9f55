import { SluiceError } from '../../contract';
import type { NativeMemory } from '../../ort';
import { DIRECT_ALIGNMENT } from '../../storage';
import { BLOCK_TOKENS } from '../full-cache';

const FLOAT_BYTES = 4;
const HEAD_DIM_STEP = DIRECT_ALIGNMENT / (BLOCK_TOKENS * FLOAT_BYTES);

export interface CacheShape {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Tokens that the file has room for, in whole blocks. Room takes no disk space until it is used. */
  readonly capacityTokens: number;
}

/** Rows of one layer as `LayerRows` has them: keys of head 0, 1, ..., then values, each `[capacity, headDim]` float32. */
export interface CacheRows {
  readonly memory: NativeMemory;
  readonly capacity: number;
}

/**
 * Where things are in `kv.bin`: a region for every layer, kind and head, in the order keys of head 0, 1, ..., values of
 * head 0, 1, ...; in it one chunk a block, `[BLOCK_TOKENS, headDim]` float32. The first blocks of a layer are thus one
 * contiguous read a region, in the file as in `LayerRows`. A chunk is a multiple of what direct I/O asks for.
 */
export class CacheLayout {
  readonly blockBytes: number;
  readonly capacityBlocks: number;
  /** Of a layer. */
  readonly regions: number;

  /** @throws SluiceError `unsupported` for a head dimension whose blocks direct I/O could not address. */
  constructor(readonly shape: CacheShape) {
    const { kvHeads, headDim, capacityTokens } = shape;
    if (headDim % HEAD_DIM_STEP !== 0) {
      throw new SluiceError(
        'unsupported',
        `A cache on disk needs a head dimension that is a multiple of ${HEAD_DIM_STEP}, so that its blocks are whole ` +
          `multiples of ${DIRECT_ALIGNMENT} bytes; this model has ${headDim}. Keep its cache in memory.`,
        { headDim },
      );
    }
    this.blockBytes = BLOCK_TOKENS * headDim * FLOAT_BYTES;
    this.capacityBlocks = Math.ceil(capacityTokens / BLOCK_TOKENS);
    this.regions = 2 * kvHeads;
  }

  get regionBytes(): number {
    return this.capacityBlocks * this.blockBytes;
  }

  get fileBytes(): number {
    return this.shape.layers * this.regions * this.regionBytes;
  }

  /** In the file, bytes. */
  chunkOffset(layer: number, region: number, block: number): number {
    return (layer * this.regions + region) * this.regionBytes + block * this.blockBytes;
  }

  /** Of a chunk among all that the file has room for. */
  sumIndex(layer: number, region: number, block: number): number {
    return (layer * this.regions + region) * this.capacityBlocks + block;
  }

  get sums(): number {
    return this.shape.layers * this.regions * this.capacityBlocks;
  }

  /** Blocks that a file cut to so many bytes still holds of every layer. */
  blocksWithin(fileBytes: number): number {
    const lastRegion = this.chunkOffset(this.shape.layers - 1, this.regions - 1, 0);
    const blocks = Math.floor((fileBytes - lastRegion) / this.blockBytes);
    return Math.max(0, Math.min(this.capacityBlocks, blocks));
  }

  /** `keys of head 2`. */
  regionName(region: number): string {
    const { kvHeads } = this.shape;
    return region < kvHeads ? `keys of head ${region}` : `values of head ${region - kvHeads}`;
  }
}
