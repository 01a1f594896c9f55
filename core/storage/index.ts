export { ioError, syncFolder, writeFileAtomic } from './atomic-file';
export { sha256Hex, sha256OfFile } from './checksum';
export { alignUp, closeDirect, DIRECT_ALIGNMENT, openDirect, readFully } from './direct-file';
export type { DirectFile } from './direct-file';
export { ReaderPool, readsDone, streamFailure } from './reader-pool';
export type { StreamHandle } from './reader-pool';
export { createStreamTable, Slot } from './stream-table';
export type { StreamTable } from './stream-table';
