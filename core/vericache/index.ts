export type {
  CompressedCache,
  CompressedCacheOptions,
  Compressor,
  LayerObservation,
  Observes,
} from './compressor';
export { allCompressors, compressorNamed, COMPRESSORS, registerCompressor } from './compressors';
export { BLOCK_TOKENS } from './full-cache';
export type { FullCache, LayerRead } from './full-cache';
export { promptLookup } from './prompt-lookup';
export type {
  CacheSettings,
  CompressionSettings,
  DraftSettings,
  Proposer,
  VericacheOptions,
} from './vericache-options';
export { VericacheSource } from './vericache-source';
export type { CacheIdentity } from './store/cache-identity';
export { CacheReaderPool } from './store/cache-reader-pool';
export { DiskCache } from './store/disk-cache';
export type { DiskCacheOptions } from './store/disk-cache';
export { Session } from './store/session';
export type { SessionFacts } from './store/session';
export { SessionStore } from './store/session-store';
