import { CACHE_STEP_ROWS, wholeSteps, type AttentionPass, type HeadShape } from '../../../llm';
import type { CompressedCacheOptions, LayerObservation } from '../../compressor';
import { LayeredCache } from '../layered-cache';
import { END_TOKENS } from '../room';
import { BlockStore, blockStoreBytes, QUANTISED_BLOCK } from './block-store';
import { INT8, int8Graph, int8Sections } from './int8-graph';
import { SIGNED_ZERO } from './integer-graph';
import { StoredAttention } from './stored-attention';

const TOP = 127;

/** Every token in 8 bits; those that come later too, so that it never has to be compressed again. */
export class Int8Cache extends LayeredCache {
  private readonly stores: readonly BlockStore[];
  private readonly writers: readonly Int8Writer[];
  private readonly attention: StoredAttention;
  private readonly capacity: number;

  /** @throws SluiceError `budget-too-small`. */
  constructor(private readonly options: CompressedCacheOptions) {
    super(options.layers);
    const { environment, shape, layers, maxTokens } = options;
    const blocks = blocksFor(maxTokens);
    this.capacity = blocks * QUANTISED_BLOCK;
    this.stores = Array.from(
      { length: layers },
      () => new BlockStore(environment, int8Sections(shape), blocks),
    );
    this.writers = this.stores.map((store) => new Int8Writer(store, shape));
    this.attention = new StoredAttention(environment, int8Graph(shape));
  }

  get byteLength(): number {
    return this.stores.reduce((sum, store) => sum + store.byteLength, 0);
  }

  hasRoom(tokens: number): boolean {
    return this.position + tokens <= this.capacity;
  }

  keptTokens(): number {
    return this.position;
  }

  store(layer: number, offset: number, keys: Float32Array, values: Float32Array): void {
    const { kvHeads, headDim } = this.options.shape;
    const tokens = keys.length / (kvHeads * headDim);
    const first = this.position + offset;
    this.requireRows(first + tokens, this.capacity);
    const writer = this.writers[layer]!;
    for (let token = 0; token < tokens; token += 1) {
      for (let head = 0; head < kvHeads; head += 1) {
        const start = (token * kvHeads + head) * headDim;
        writer.writeKey(head, first + token, keys, start);
        writer.writeValue(head, first + token, values, start);
      }
    }
  }

  attend(layer: number, pass: AttentionPass): void {
    const before = this.position + pass.offset;
    const rows = wholeSteps(before + pass.tokens);
    this.attention.run(pass, this.stores[layer]!.tensors(rows / CACHE_STEP_ROWS), rows, before);
  }

  release(): void {
    for (const store of this.stores) store.release();
    this.attention.release();
  }

  protected replaceLayer(observation: LayerObservation): void {
    const { layer, tokens } = observation;
    const { kvHeads, headDim } = this.options.shape;
    this.requireRows(tokens, this.capacity);
    const writer = this.writers[layer]!;
    for (let head = 0; head < kvHeads; head += 1) {
      const keys = observation.keys(head);
      const values = observation.values(head);
      writer.fitChannels(head, keys, tokens);
      for (let token = 0; token < tokens; token += 1) {
        writer.writeKey(head, token, keys, token * headDim);
        writer.writeValue(head, token, values, token * headDim);
      }
    }
  }
}

/** Memory of an `Int8Cache`. */
export function int8CacheBytes(
  options: Pick<CompressedCacheOptions, 'shape' | 'layers' | 'maxTokens'>,
): number {
  return options.layers * blockStoreBytes(int8Sections(options.shape), blocksFor(options.maxTokens));
}

function blocksFor(maxTokens: number): number {
  return Math.ceil((maxTokens + END_TOKENS) / QUANTISED_BLOCK);
}

/** Rounds keys and values of single tokens into a store. */
class Int8Writer {
  private readonly keys: Uint8Array;
  private readonly values: Uint8Array;
  private readonly keyScales: Float32Array;
  private readonly valueScales: Float32Array;
  private readonly channelScales: Float32Array;
  private readonly scaled: Float32Array;

  constructor(
    store: BlockStore,
    private readonly shape: HeadShape,
  ) {
    this.keys = store.bytes(INT8.keys);
    this.values = store.bytes(INT8.values);
    this.keyScales = store.float32(INT8.keyScales);
    this.valueScales = store.float32(INT8.valueScales);
    this.channelScales = store.float32(INT8.channelScales);
    this.scaled = new Float32Array(shape.headDim);
    this.channelScales.fill(1);
  }

  /** A few channels of keys are far larger than the rest and would leave it few steps: each is measured by its largest. */
  fitChannels(head: number, keys: Float32Array, tokens: number): void {
    const { headDim } = this.shape;
    const largest = new Float32Array(headDim);
    for (let token = 0, at = 0; token < tokens; token += 1) {
      for (let channel = 0; channel < headDim; channel += 1, at += 1) {
        const size = Math.abs(keys[at]!);
        if (size > largest[channel]!) largest[channel] = size;
      }
    }
    this.channelScales.set(
      largest.map((size) => (size > 0 ? size : 1)),
      head * headDim,
    );
  }

  writeKey(head: number, token: number, source: Float32Array, start: number): void {
    const { headDim } = this.shape;
    const { scaled, keys } = this;
    const channels = head * headDim;
    let largest = 0;
    for (let channel = 0; channel < headDim; channel += 1) {
      const value = source[start + channel]! / this.channelScales[channels + channel]!;
      scaled[channel] = value;
      largest = Math.max(largest, Math.abs(value));
    }
    const inverse = largest > 0 ? TOP / largest : 0;
    const place = this.placeOf(head, token);
    this.keyScales[place.scale] = largest / TOP;
    let at = place.block * headDim * QUANTISED_BLOCK + place.row;
    for (let channel = 0; channel < headDim; channel += 1, at += QUANTISED_BLOCK) {
      // What is cut off behind the point rounds to nearest.
      keys[at] = scaled[channel]! * inverse + (SIGNED_ZERO + 0.5);
    }
  }

  writeValue(head: number, token: number, source: Float32Array, start: number): void {
    const { headDim } = this.shape;
    const { values } = this;
    let largest = 0;
    for (let at = start; at < start + headDim; at += 1) largest = Math.max(largest, Math.abs(source[at]!));
    const inverse = largest > 0 ? TOP / largest : 0;
    const place = this.placeOf(head, token);
    this.valueScales[place.scale] = largest / TOP;
    const to = place.scale * headDim;
    for (let channel = 0; channel < headDim; channel += 1) {
      values[to + channel] = source[start + channel]! * inverse + (SIGNED_ZERO + 0.5);
    }
  }

  private placeOf(
    head: number,
    token: number,
  ): { readonly block: number; readonly row: number; readonly scale: number } {
    const row = token % QUANTISED_BLOCK;
    const block = ((token - row) / QUANTISED_BLOCK) * this.shape.kvHeads + head;
    return { block, row, scale: block * QUANTISED_BLOCK + row };
  }
}
