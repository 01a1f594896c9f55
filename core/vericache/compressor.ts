import type { AttentionCache, Attention, HeadShape } from '../llm';
import type { OrtEnvironment } from '../ort';

/** One layer of the full cache as a compressor sees it. Views are valid during the call, and read-only. */
export interface LayerObservation {
  readonly layer: number;
  /** Tokens to compress: all that the full cache holds. */
  readonly tokens: number;
  /** `[tokens, headDim]`, rotated. */
  keys(head: number): Float32Array;
  /** `[tokens, headDim]`. */
  values(head: number): Float32Array;
  /** Attention each token got by the queries observed, summed, `[tokens]`; zeros for a compressor that observes nothing. */
  received(head: number): Float32Array;
}

/** Whose attention a compressor is told: of none, of the last queries (32 or more), of all. */
export type Observes = 'nothing' | 'window' | 'all';

/** A cache that drafts attend to: smaller than the full one, and not exact. */
export interface CompressedCache extends AttentionCache {
  /** Memory allocated for it. */
  readonly byteLength: number;
  /** Whether so many tokens more fit before it has to be compressed again. */
  hasRoom(tokens: number): boolean;
  /** Replaces what it holds of a layer. All layers are compressed at the same number of tokens, then `restart`. */
  compress(observation: LayerObservation): void;
  /** All layers have been compressed at so many tokens. */
  restart(position: number): void;
  /** Forgets tokens from `position` on, of those that came after the last `restart`. */
  truncate(position: number): void;
  /** Tokens it holds something of, by layer; for the map of the cache. */
  keptTokens(layer: number): number;
  release(): void;
}

export interface CompressedCacheOptions {
  readonly environment: OrtEnvironment;
  readonly attention: Attention;
  readonly shape: HeadShape;
  readonly layers: number;
  /** Tokens the full cache may come to hold. */
  readonly maxTokens: number;
  /** Bytes of the full cache over bytes of this one, more than 1. */
  readonly ratio: number;
}

/** A way to make the cache small. Register one in `compressors/index.ts`. */
export interface Compressor {
  /** As `--compressor` takes it: `snapkv`, `int8`, ... */
  readonly name: string;
  readonly title: string;
  /** Where its formula stands. */
  readonly source: string;
  readonly kind: 'drop' | 'quantise';
  readonly observes: Observes;
  /** The ratio it has by itself; absent where any can be asked for. */
  readonly fixedRatio?: number;
  /** Memory that `createCache` will allocate, for planning. */
  cacheBytes(options: Omit<CompressedCacheOptions, 'environment' | 'attention'>): number;
  /** @throws SluiceError `bad-input` (a ratio it can't give), `budget-too-small`. */
  createCache(options: CompressedCacheOptions): CompressedCache;
}
