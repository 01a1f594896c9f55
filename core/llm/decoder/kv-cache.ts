import { SluiceError } from '../../contract';
import {
  allocateNativeMemory,
  LargePageMemory,
  largePageMemoryBytes,
  releasePages,
  tensorOver,
  type NativeMemory,
  type OrtEnvironment,
} from '../../ort';
import type { Attention, AttentionPass, LayerView } from './attention';
import type { HeadShape } from './attention-graph';
import { CACHE_STEP_ROWS } from './cache-step';

const FLOAT_BYTES = 4;

/** Keys and values of earlier tokens, and attention over them. A pass calls `store`, then `attend`, layer by layer. */
export interface AttentionCache {
  /** Of the next token, in the text. */
  readonly position: number;
  /**
   * Takes keys and values `[tokens, kvHeads * headDim]` of tokens at `position + offset`; the caller reuses the arrays.
   * A long pass stores all of its tokens at a layer, in order, before it attends there.
   */
  store(layer: number, offset: number, keys: Float32Array, values: Float32Array): void;
  /** Attention of the tokens at `position + pass.offset` over those before and themselves. May wait for what it reads. */
  attend(layer: number, pass: AttentionPass): void | Promise<void>;
  /** The pass went through all layers: its tokens stay. */
  advance(tokens: number): void;
}

/** Rows of one layer in memory: keys of head 0, 1, ..., then values, each `[capacity, headDim]` float32. */
export class LayerRows {
  readonly memory: NativeMemory;
  private readonly floats: Float32Array;
  private current: LayerView = { rows: 0, keys: [], values: [] };

  /** Memory allocated for it. */
  readonly byteLength: number;

  /**
   * @param capacity in rows, a multiple of `CACHE_STEP_ROWS`.
   * @param pages `large` where a disk reads into it: that is several times cheaper, and rounds up to 2 MiB.
   * @throws SluiceError `budget-too-small`.
   */
  constructor(
    private readonly environment: OrtEnvironment,
    private readonly shape: HeadShape,
    readonly capacity: number,
    pages: 'small' | 'large' = 'small',
  ) {
    const wanted = layerRowsBytes(shape, capacity);
    this.memory = pages === 'large' ? LargePageMemory.allocate(wanted).block : allocateNativeMemory(wanted);
    this.byteLength = pages === 'large' ? largePageMemoryBytes(wanted) : this.memory.bytes.byteLength;
    const { bytes } = this.memory;
    this.floats = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / FLOAT_BYTES);
  }

  /** Keys (kind 0) or values (kind 1) of a head, `[to - from, headDim]`, in place. */
  rows(kind: 0 | 1, head: number, from: number, to: number): Float32Array {
    const { headDim } = this.shape;
    const start = this.startOf(kind, head);
    return this.floats.subarray(start + from * headDim, start + to * headDim);
  }

  /** Copies `[tokens, kvHeads * headDim]` in, behind `row`. */
  write(row: number, keys: Float32Array, values: Float32Array): void {
    const { kvHeads, headDim } = this.shape;
    const tokens = keys.length / (kvHeads * headDim);
    for (const kind of [0, 1] as const) {
      const source = kind === 0 ? keys : values;
      for (let head = 0; head < kvHeads; head += 1) {
        const start = this.startOf(kind, head) + row * headDim;
        for (let token = 0; token < tokens; token += 1) {
          const from = (token * kvHeads + head) * headDim;
          this.floats.set(source.subarray(from, from + headDim), start + token * headDim);
        }
      }
    }
  }

  /** Takes over the first `rows` of another layer of this shape. */
  copyFrom(other: LayerRows, rows: number): void {
    for (const kind of [0, 1] as const) {
      for (let head = 0; head < this.shape.kvHeads; head += 1) {
        this.rows(kind, head, 0, rows).set(other.rows(kind, head, 0, rows));
      }
    }
  }

  /** The first `rows`, a multiple of `CACHE_STEP_ROWS`; valid until the next call with another number. */
  view(rows: number): LayerView {
    if (this.current.rows === rows) return this.current;
    this.releaseTensors();
    const { headDim } = this.shape;
    const heads = Array.from({ length: this.shape.kvHeads }, (_, head) => head);
    const bytes = rows * headDim * FLOAT_BYTES;
    const prefix = (kind: 0 | 1) => (head: number) => {
      const address = this.memory.address + BigInt(this.startOf(kind, head) * FLOAT_BYTES);
      return tensorOver(this.environment, 'float32', [rows, headDim], address, bytes, this.memory);
    };
    this.current = { rows, keys: heads.map(prefix(0)), values: heads.map(prefix(1)) };
    return this.current;
  }

  /** Frees its tensors, and its pages at once. Nothing may read or write it any more. */
  release(): void {
    this.releaseTensors();
    releasePages(this.memory);
  }

  private releaseTensors(): void {
    for (const tensor of [...this.current.keys, ...this.current.values]) tensor.release();
    this.current = { rows: 0, keys: [], values: [] };
  }

  /** In floats. */
  private startOf(kind: 0 | 1, head: number): number {
    const { kvHeads, headDim } = this.shape;
    return (kind * kvHeads + head) * this.capacity * headDim;
  }
}

/** Memory that `LayerRows` takes. */
export function layerRowsBytes({ kvHeads, headDim }: HeadShape, capacity: number): number {
  return 2 * kvHeads * capacity * headDim * FLOAT_BYTES;
}

/** Rows in whole steps of attention. */
export function wholeSteps(rows: number): number {
  return Math.ceil(rows / CACHE_STEP_ROWS) * CACHE_STEP_ROWS;
}

/** Keys and values of every token, in memory. */
export class KvCache implements AttentionCache {
  position = 0;
  /** Tokens there is room for. */
  capacity: number;
  private readonly layers: LayerRows[];

  /** @throws SluiceError `budget-too-small` when the operating system refuses the memory. */
  constructor(
    private readonly environment: OrtEnvironment,
    private readonly attention: Attention,
    layers: number,
    capacity: number,
  ) {
    this.capacity = wholeSteps(capacity);
    this.layers = Array.from(
      { length: layers },
      () => new LayerRows(environment, attention.shape, this.capacity),
    );
  }

  store(layer: number, offset: number, keys: Float32Array, values: Float32Array): void {
    const { kvHeads, headDim } = this.attention.shape;
    const row = this.position + offset;
    const end = row + keys.length / (kvHeads * headDim);
    if (end > this.capacity) {
      throw new SluiceError('internal', `${end} tokens don't fit a cache of ${this.capacity}.`);
    }
    this.layers[layer]!.write(row, keys, values);
  }

  attend(layer: number, pass: AttentionPass): void {
    const before = this.position + pass.offset;
    this.attention.run(pass, this.layers[layer]!.view(wholeSteps(before + pass.tokens)), before);
  }

  advance(tokens: number): void {
    this.position += tokens;
  }

  /**
   * Makes room for so many tokens; what is there stays. Layer by layer, so that no more than one is there twice.
   * @throws SluiceError `budget-too-small`; the cache is then as it was, if larger here and there.
   */
  grow(capacity: number): void {
    const rows = wholeSteps(capacity);
    if (rows <= this.capacity) return;
    for (const [index, layer] of this.layers.entries()) {
      if (layer.capacity >= rows) continue;
      const larger = new LayerRows(this.environment, this.attention.shape, rows);
      larger.copyFrom(layer, this.position);
      layer.release();
      this.layers[index] = larger;
    }
    this.capacity = rows;
  }

  /** Forgets tokens from `position` on. */
  truncate(position: number): void {
    this.position = Math.min(this.position, position);
  }

  get byteLength(): number {
    return this.layers.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  release(): void {
    for (const layer of this.layers) layer.release();
  }
}
