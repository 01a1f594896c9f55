export type {
  CompressedCache,
  CompressedCacheOptions,
  Compressor,
  LayerObservation,
  Observes,
} from './compressor';
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
