import { SluiceError } from '../../contract';
import {
  allocateNativeMemory,
  tensorOver,
  type NativeMemory,
  type OrtEnvironment,
  type OrtTensor,
} from '../../ort';
import { CACHE_STEP_ROWS } from './cache-step';
import type { DecoderConfig } from './config';

const FLOAT_BYTES = 4;

/** What attention of one layer reads: per key head, keys and values `[rows, headDim]`. */
export interface LayerView {
  readonly keys: readonly OrtTensor[];
  readonly values: readonly OrtTensor[];
}

/** What a forward pass needs of a cache. */
export interface AttentionCache {
  /** Tokens in it. */
  readonly length: number;
  /** Tokens it has room for. */
  readonly capacity: number;
  /** Stores keys and values `[tokens, kvHeads * headDim]` of tokens at `position` and on. */
  store(layer: number, position: number, keys: Float32Array, values: Float32Array): void;
  /** The first `rows` (a multiple of `CACHE_STEP_ROWS`) of a layer; owned by the cache, valid until its next `view`. */
  view(layer: number, rows: number): LayerView;
  /** Tokens at `length` and on are forgotten, or stored ones become visible. */
  setLength(length: number): void;
}

/** Keys and values of every token, in memory: per layer and key head `[capacity, headDim]` float32. */
export class KvCache implements AttentionCache {
  length = 0;
  readonly capacity: number;
  private readonly layers: readonly NativeMemory[];
  private readonly arrays: readonly Float32Array[];
  private readonly views: { rows: number; view: LayerView }[];

  /** @throws SluiceError `budget-too-small` when the operating system refuses the memory. */
  constructor(
    private readonly environment: OrtEnvironment,
    private readonly config: DecoderConfig,
    capacity: number,
  ) {
    this.capacity = Math.ceil(capacity / CACHE_STEP_ROWS) * CACHE_STEP_ROWS;
    const floats = 2 * config.kvHeads * this.capacity * config.headDim;
    this.layers = Array.from({ length: config.layers }, () => allocateNativeMemory(floats * FLOAT_BYTES));
    this.arrays = this.layers.map(({ bytes }) => new Float32Array(bytes.buffer, bytes.byteOffset, floats));
    this.views = this.layers.map(() => ({ rows: 0, view: { keys: [], values: [] } }));
  }

  store(layer: number, position: number, keys: Float32Array, values: Float32Array): void {
    const { kvHeads, headDim } = this.config;
    const tokens = keys.length / (kvHeads * headDim);
    if (position + tokens > this.capacity) {
      throw new SluiceError('internal', `${position + tokens} tokens don't fit a cache of ${this.capacity}.`);
    }
    const target = this.arrays[layer]!;
    for (const [kind, source] of [keys, values].entries()) {
      for (let token = 0; token < tokens; token += 1) {
        for (let head = 0; head < kvHeads; head += 1) {
          const from = (token * kvHeads + head) * headDim;
          target.set(source.subarray(from, from + headDim), this.rowAt(kind, head, position + token));
        }
      }
    }
  }

  view(layer: number, rows: number): LayerView {
    const current = this.views[layer]!;
    if (current.rows === rows) return current.view;
    releaseView(current.view);
    const heads = Array.from({ length: this.config.kvHeads }, (_, head) => head);
    const tensors = (kind: number): OrtTensor[] => heads.map((head) => this.prefix(layer, kind, head, rows));
    this.views[layer] = { rows, view: { keys: tensors(0), values: tensors(1) } };
    return this.views[layer].view;
  }

  setLength(length: number): void {
    this.length = length;
  }

  /** Frees its tensors; its memory goes with the last reference. */
  release(): void {
    for (const { view } of this.views) releaseView(view);
  }

  /** In floats, from the start of a layer. */
  private rowAt(kind: number, head: number, row: number): number {
    const { kvHeads, headDim } = this.config;
    return ((kind * kvHeads + head) * this.capacity + row) * headDim;
  }

  private prefix(layer: number, kind: number, head: number, rows: number): OrtTensor {
    const memory = this.layers[layer]!;
    const { headDim } = this.config;
    const address = memory.address + BigInt(this.rowAt(kind, head, 0) * FLOAT_BYTES);
    return tensorOver(
      this.environment,
      'float32',
      [rows, headDim],
      address,
      rows * headDim * FLOAT_BYTES,
      memory,
    );
  }
}

function releaseView(view: LayerView): void {
  for (const tensor of [...view.keys, ...view.values]) tensor.release();
}
