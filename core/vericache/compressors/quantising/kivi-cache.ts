import { LayerRows, layerRowsBytes, wholeSteps, type AttentionPass, type HeadShape } from '../../../llm';
import { nativeMemoryBytes, tensorOver, type OrtEnvironment, type OrtTensor } from '../../../ort';
import type { CompressedCacheOptions, LayerObservation } from '../../compressor';
import { LayeredCache } from '../layered-cache';
import { MAX_ROUND_TOKENS } from '../../memory-plan';
import { END_TOKENS } from '../room';
import { BlockStore, blockStoreBytes, QUANTISED_BLOCK } from './block-store';
import { kiviGraph } from './kivi-graph';
import { kiviLayout, kiviSections, type KiviLayout } from './kivi-layout';
import { KiviPacker } from './kivi-packer';
import { StoredAttention } from './stored-attention';

/** The last tokens, at least so many, stay in float32; the paper's residual length. */
export const RESIDUAL_TOKENS = 128;
/** With so many in float32 the oldest block is packed: a draft that is cut back does not reach into it. */
const PACK_AT = RESIDUAL_TOKENS + QUANTISED_BLOCK + MAX_ROUND_TOKENS;
const RESIDUAL_ROWS = wholeSteps(PACK_AT - 1 + MAX_ROUND_TOKENS);

/** Blocks of few bits, and the last tokens in float32; whenever those are many, their oldest block is packed too. */
export class KiviCache extends LayeredCache {
  private readonly stored: readonly KiviLayer[];
  private readonly attention: StoredAttention;
  /** Packed ones. */
  private blocks = 0;

  /** @throws SluiceError `budget-too-small`, `unsupported` (the head's width). */
  constructor(
    private readonly options: CompressedCacheOptions,
    bits: number,
  ) {
    super(options.layers);
    const { environment, shape, layers, maxTokens } = options;
    const layout = kiviLayout(bits, shape);
    const blocks = blocksFor(maxTokens);
    this.stored = Array.from({ length: layers }, () => new KiviLayer(environment, shape, layout, blocks));
    this.attention = new StoredAttention(environment, kiviGraph(layout, shape, RESIDUAL_ROWS));
  }

  get byteLength(): number {
    return this.stored.reduce((sum, layer) => sum + layer.byteLength, 0);
  }

  /** Of tokens that come in passes of up to a round: blocks are packed on the way. */
  hasRoom(tokens: number): boolean {
    return this.position + tokens <= Math.max(this.options.maxTokens + END_TOKENS, RESIDUAL_ROWS);
  }

  keptTokens(): number {
    return this.position;
  }

  override restart(position: number): void {
    super.restart(position);
    this.blocks = packedBlocks(position);
  }

  store(layer: number, offset: number, keys: Float32Array, values: Float32Array): void {
    const { kvHeads, headDim } = this.options.shape;
    const row = this.residual + offset;
    this.requireRows(row + keys.length / (kvHeads * headDim), RESIDUAL_ROWS);
    this.stored[layer]!.rows.write(row, keys, values);
  }

  attend(layer: number, pass: AttentionPass): void {
    const { rows, residual, store } = this.stored[layer]!;
    const before = this.residual + pass.offset;
    if (this.blocks === 0) {
      this.options.attention.run(pass, rows.view(wholeSteps(before + pass.tokens)), before);
    } else {
      this.attention.run(pass, [...residual, ...store.tensors(this.blocks)], RESIDUAL_ROWS, before);
    }
  }

  override advance(tokens: number): void {
    super.advance(tokens);
    while (this.residual >= PACK_AT) {
      for (const layer of this.stored) layer.packOldest(this.blocks);
      this.blocks += 1;
    }
  }

  override truncate(position: number): void {
    super.truncate(position);
    if (this.residual >= 0) return;
    this.blocks = Math.floor(this.position / QUANTISED_BLOCK);
    for (const layer of this.stored) layer.unpack(this.blocks);
  }

  release(): void {
    for (const layer of this.stored) layer.release();
    this.attention.release();
  }

  protected replaceLayer(observation: LayerObservation): void {
    const { layer, tokens } = observation;
    const { kvHeads, headDim } = this.options.shape;
    const { rows, packer } = this.stored[layer]!;
    const blocks = packedBlocks(tokens);
    const packed = blocks * QUANTISED_BLOCK;
    this.requireRows(blocks, blocksFor(this.options.maxTokens));
    for (let head = 0; head < kvHeads; head += 1) {
      const keys = observation.keys(head);
      const values = observation.values(head);
      for (let block = 0; block < blocks; block += 1) {
        const from = block * QUANTISED_BLOCK * headDim;
        const to = from + QUANTISED_BLOCK * headDim;
        packer.pack(block, head, keys.subarray(from, to), values.subarray(from, to));
      }
      rows.rows(0, head, 0, tokens - packed).set(keys.subarray(packed * headDim, tokens * headDim));
      rows.rows(1, head, 0, tokens - packed).set(values.subarray(packed * headDim, tokens * headDim));
    }
  }

  /** Tokens in float32. */
  private get residual(): number {
    return this.position - this.blocks * QUANTISED_BLOCK;
  }
}

/** Memory of a `KiviCache`. */
export function kiviCacheBytes(
  bits: number,
  { shape, layers, maxTokens }: Pick<CompressedCacheOptions, 'shape' | 'layers' | 'maxTokens'>,
): number {
  const sections = kiviSections(kiviLayout(bits, shape), shape);
  const rows = nativeMemoryBytes(layerRowsBytes(shape, RESIDUAL_ROWS));
  return layers * (rows + blockStoreBytes(sections, blocksFor(maxTokens)));
}

/** Of so many tokens. */
function packedBlocks(tokens: number): number {
  return Math.max(0, Math.floor((tokens - RESIDUAL_TOKENS) / QUANTISED_BLOCK));
}

function blocksFor(maxTokens: number): number {
  return Math.max(1, packedBlocks(maxTokens + END_TOKENS));
}

class KiviLayer {
  readonly store: BlockStore;
  readonly packer: KiviPacker;
  readonly rows: LayerRows;
  /** Keys and values of all rows, `[kvHeads, rows, headDim]`. */
  readonly residual: readonly OrtTensor[];

  constructor(
    environment: OrtEnvironment,
    private readonly shape: HeadShape,
    layout: KiviLayout,
    blocks: number,
  ) {
    const { kvHeads, headDim } = shape;
    this.store = new BlockStore(environment, kiviSections(layout, shape), blocks);
    this.packer = new KiviPacker(this.store, layout, shape);
    this.rows = new LayerRows(environment, shape, RESIDUAL_ROWS);
    const { memory } = this.rows;
    const bytes = layerRowsBytes(shape, RESIDUAL_ROWS) / 2;
    this.residual = [memory.address, memory.address + BigInt(bytes)].map((address) =>
      tensorOver(environment, 'float32', [kvHeads, RESIDUAL_ROWS, headDim], address, bytes, memory),
    );
  }

  get byteLength(): number {
    return this.store.byteLength + this.rows.memory.bytes.byteLength;
  }

  /** Packs the first rows as a block, and moves the others up. */
  packOldest(block: number): void {
    const { kvHeads, headDim } = this.shape;
    for (let head = 0; head < kvHeads; head += 1) {
      const [keys, values] = this.firstRows(head, QUANTISED_BLOCK);
      this.packer.pack(block, head, keys, values);
      for (const rows of this.firstRows(head, RESIDUAL_ROWS)) rows.copyWithin(0, QUANTISED_BLOCK * headDim);
    }
  }

  /** Puts a block back into the first rows. */
  unpack(block: number): void {
    for (let head = 0; head < this.shape.kvHeads; head += 1) {
      this.packer.unpack(block, head, ...this.firstRows(head, QUANTISED_BLOCK));
    }
  }

  release(): void {
    this.store.release();
    this.rows.release();
    for (const tensor of this.residual) tensor.release();
  }

  private firstRows(head: number, count: number): [keys: Float32Array, values: Float32Array] {
    return [this.rows.rows(0, head, 0, count), this.rows.rows(1, head, 0, count)];
  }
}
