export type {
  CompressedCache,
  CompressedCacheOptions,
  Compressor,
  LayerObservation,
  Observes,
} from './compressor';
export { allCompressors, compressorNamed, registerCompressor } from './compressors';
export { dropCompressor } from './compressors/dropping/drop-compressor';
export type { DropScheme } from './compressors/dropping/drop-compressor';
export { planCaches } from './cache-set';
export { draftModel } from './draft-model';
export type { DraftModel, DraftModelOptions } from './draft-model';
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
export { identityDifferences } from './remote/identity';
export type { KvNodeOptions } from './remote/kv-node';
export { openRemotePrefix } from './remote/open-remote-prefix';
export type { OpenRemotePrefix, RemotePrefixRequest } from './remote/open-remote-prefix';
export { PrefixStore } from './remote/prefix-store';
export type { FoundPrefix, PrefixLimits, PrefixStoreOptions } from './remote/prefix-store';
export { RemoteFullCache } from './remote/remote-cache';
export { VericacheSource } from './vericache-source';
export type { CacheIdentity } from './store/cache-identity';
export { CacheReaderPool } from './store/cache-reader-pool';
export { DiskCache } from './store/disk-cache';
export type { DiskCacheOptions } from './store/disk-cache';
export { Session } from './store/session';
export type { SessionFacts } from './store/session';
export { SessionStore } from './store/session-store';
