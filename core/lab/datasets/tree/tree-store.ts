import { SluiceError } from '../../../contract';
import { takeLease } from '../chunks/chunk-leases';
import type { ChunkStore } from '../chunks/chunk-store';
import { withStore } from '../chunks/collect-chunks';
import { ContentCutter } from '../chunks/content-cutter';
import {
  chunksIn,
  manifestFaults,
  parseManifest,
  refused,
  sealManifest,
  type Manifest,
  type SealedManifest,
} from './manifest';
import { readTree } from './read-tree';
import type { WalkedTree } from './walk-tree';
import { writeTree, type WriteOptions } from './write-tree';

/** How far a long piece of work is. */
export interface TreeProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface LongWork {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: TreeProgress) => void) | undefined;
}

export interface KeptTree {
  readonly manifest: Manifest;
  readonly sealed: SealedManifest;
  /** Of chunks that were not in the store before. */
  readonly newChunks: number;
  readonly newBytes: number;
}

/** A chunk that is gone or damaged, and where it is missed. */
export interface DamagedChunk {
  readonly hash: string;
  readonly fault: 'missing' | 'damaged';
  readonly paths: readonly string[];
}

/** Folders as manifests and chunks in one store. */
export class TreeStore {
  private readonly used = new Map<string, number>();

  constructor(
    readonly chunks: ChunkStore,
    readonly cutter: ContentCutter = new ContentCutter(),
  ) {}

  /**
   * Keeps a tree. Cut short at any moment, what has been stored is found again by the next try.
   * @param record notes durably who refers to the manifest; until then nothing of it is collected.
   * @throws SluiceError `bad-input`, `conflict` (a file changes meanwhile), `io`, `cancelled`, what `record` throws.
   */
  async keep<T>(
    tree: WalkedTree,
    hidden: readonly string[],
    record: (kept: KeptTree) => T,
    work: LongWork = {},
  ): Promise<T> {
    const release = await takeLease(this.chunks);
    try {
      const kept = await this.store(tree, hidden, work);
      await this.chunks.sync();
      return await withStore(this.chunks, () => Promise.resolve(record(kept)));
    } finally {
      await release();
    }
  }

  /**
   * Reads what a manifest names: until the work is done nothing of it is collected, whatever is removed meanwhile.
   * @param hash that something refers to now. @throws SluiceError as `manifest`, what the work throws.
   */
  async use<T>(hash: string, work: (manifest: Manifest) => Promise<T>): Promise<T> {
    this.used.set(hash, (this.used.get(hash) ?? 0) + 1);
    try {
      return await work(await this.manifest(hash));
    } finally {
      const others = (this.used.get(hash) ?? 1) - 1;
      if (others === 0) this.used.delete(hash);
      else this.used.set(hash, others);
    }
  }

  /** Hashes of the manifests that are being read from. */
  inUse(): readonly string[] {
    return [...this.used.keys()];
  }

  /** @throws SluiceError `not-found`, `corrupt-store`, `io`. */
  async manifest(hash: string): Promise<Manifest> {
    return parseManifest(await this.readChunk(hash), `The manifest ${hash}`);
  }

  /** A chunk, checked against its hash. @throws SluiceError `not-found`, `corrupt-store`, `io`. */
  async readChunk(hash: string): Promise<Buffer> {
    try {
      return await this.chunks.read(hash);
    } catch (cause) {
      if (!(cause instanceof SluiceError) || cause.code !== 'not-found') throw cause;
      // A sweep may just hold it, or have died with it.
      await withStore(this.chunks, () => Promise.resolve());
      return this.chunks.read(hash);
    }
  }

  /** Writes a tree as a new folder; see `writeTree`. */
  async restore(
    manifest: Manifest,
    folder: string,
    options: LongWork & Pick<WriteOptions, 'isReadOnly' | 'isDurable'> = {},
  ): Promise<void> {
    const { onProgress, ...rest } = options;
    const count = progressCounter(manifest, onProgress);
    await writeTree(manifest, folder, { ...rest, readChunk: (hash) => this.readChunk(hash), onBytes: count });
  }

  /**
   * Reads and hashes every chunk; damaged ones are set aside, so that pushing the same files again heals them.
   * @throws SluiceError `io`, `cancelled`.
   */
  async verify(manifest: Manifest, { signal, onProgress }: LongWork = {}): Promise<DamagedChunk[]> {
    const count = progressCounter(manifest, onProgress);
    const damaged = new Map<string, DamagedChunk['fault']>();
    for (const [hash, byteLength] of chunksIn(manifest)) {
      if (signal?.aborted) throw new SluiceError('cancelled', 'Verifying was cancelled.');
      const fault = await this.faultOf(hash);
      if (fault) damaged.set(hash, fault);
      if (fault === 'damaged') await this.chunks.setAside(hash);
      count(byteLength);
    }
    return [...damaged].map(([hash, fault]) => ({ hash, fault, paths: pathsWith(manifest, hash) }));
  }

  private async store(tree: WalkedTree, hidden: readonly string[], work: LongWork): Promise<KeptTree> {
    const totalBytes = tree.entries.reduce((sum, { bytes }) => sum + bytes, 0);
    const total = { newChunks: 0, newBytes: 0, doneBytes: 0 };
    const entries = await readTree(tree, {
      cutter: this.cutter,
      signal: work.signal,
      onChunk: async ({ hash, bytes }) => {
        const outcome = await this.chunks.putHashed(hash, bytes);
        total.doneBytes += bytes.length;
        if (outcome === 'stored') {
          total.newChunks += 1;
          total.newBytes += bytes.length;
        }
        work.onProgress?.({ doneBytes: total.doneBytes, totalBytes });
      },
    });
    const manifest = { entries, hidden };
    const faults = manifestFaults(manifest);
    if (faults.length > 0) throw refused(tree.root, faults);
    const sealed = sealManifest(manifest);
    await this.chunks.putHashed(sealed.hash, sealed.text);
    return { manifest, sealed, newChunks: total.newChunks, newBytes: total.newBytes };
  }

  private async faultOf(hash: string): Promise<DamagedChunk['fault'] | undefined> {
    try {
      await this.readChunk(hash);
      return undefined;
    } catch (cause) {
      const code = cause instanceof SluiceError ? cause.code : 'internal';
      if (code === 'not-found') return 'missing';
      if (code === 'corrupt-store') return 'damaged';
      throw cause;
    }
  }
}

function progressCounter(manifest: Manifest, onProgress: LongWork['onProgress']): (bytes: number) => void {
  const totalBytes = manifest.entries.reduce(
    (sum, entry) => sum + (entry.type === 'file' ? entry.bytes : 0),
    0,
  );
  let doneBytes = 0;
  return (bytes) => {
    doneBytes += bytes;
    onProgress?.({ doneBytes, totalBytes });
  };
}

function pathsWith({ entries }: Manifest, hash: string): string[] {
  return entries
    .filter((entry) => entry.type === 'file' && entry.chunks.some(([other]) => other === hash))
    .map(({ path }) => path);
}
