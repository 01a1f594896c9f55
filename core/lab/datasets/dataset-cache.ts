import { access, lstat, mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../contract';
import { tryLock, writeFileAtomic } from '../../storage';
import { sealManifest, totalsOf, type Manifest } from './tree/manifest';
import { removeTree } from './tree/write-tree';
import type { LongWork, TreeStore } from './tree/tree-store';

const POLL_MS = 100;
const ENTRY = /^[0-9a-f]{64}$/;
const HOLDER = /^[0-9a-zA-Z-]{1,60}$/;

/** Size, time of change and time of the last change of anything, of each file: the last one nobody can set. */
const stampSchema = z.object({
  bytes: z.number(),
  files: z.record(z.string(), z.tuple([z.number(), z.number(), z.number()])),
});
type Stamp = z.infer<typeof stampSchema>;

export interface DatasetCacheOptions {
  readonly folder: string;
  readonly trees: TreeStore;
  /** Trees that nobody holds make room above this. */
  readonly maxBytes: number;
}

/**
 * Versions as folders on one node, each written once and read by many jobs. Files are copies of their own, not links into
 * the store, because the owner of a read-only file can make it writable: a job that does so damages the copy alone, and
 * the next job gets a new one, for a file that was touched shows in its time of change.
 */
export class DatasetCache {
  constructor(private readonly options: DatasetCacheOptions) {}

  /** The manifests' hashes of the versions that are here: nodes that have one are preferred. */
  async held(): Promise<string[]> {
    const names = await readdir(this.options.folder).catch(() => []);
    const whole: string[] = [];
    for (const name of names) {
      if (ENTRY.test(name) && (await isThere(this.stampFile(name)))) whole.push(name);
    }
    return whole;
  }

  /**
   * The folder of a version, read-only, for a job until `release`, which outlives this process.
   * @param manifest hidden parts left out: other jobs of the node could read them here.
   * @param holder letters, digits and hyphens: the job's key.
   * @throws SluiceError `bad-input`, `io` (the disk is full), `corrupt-store`, `cancelled`.
   */
  async hold(manifest: Manifest, holder: string, work: LongWork = {}): Promise<string> {
    if (!HOLDER.test(holder)) {
      throw new SluiceError(
        'bad-input',
        `Holder ${JSON.stringify(holder)}: expected letters, digits and hyphens.`,
      );
    }
    const { hash } = sealManifest(manifest);
    await mkdir(this.options.folder, { recursive: true });
    return this.exclusively(hash, work.signal, async () => {
      await mkdir(join(this.entry(hash), 'holders'), { recursive: true });
      await writeFileAtomic(join(this.entry(hash), 'holders', holder), '');
      const tree = join(this.entry(hash), 'tree');
      if (!(await this.isWhole(hash))) {
        await rm(this.stampFile(hash), { force: true });
        await removeTree(tree);
        await this.makeRoom(totalsOf(manifest).bytes);
        await this.options.trees.restore(manifest, tree, { ...work, isReadOnly: true, isDurable: true });
        const stamp: Stamp = { bytes: totalsOf(manifest).bytes, files: await stampsIn(tree) };
        await writeFileAtomic(this.stampFile(hash), JSON.stringify(stamp));
      }
      const now = new Date(this.options.trees.chunks.clock.nowMs());
      await utimes(this.stampFile(hash), now, now);
      return tree;
    });
  }

  /** A job needs its folders no longer. */
  async release(holder: string): Promise<void> {
    for (const hash of await readdir(this.options.folder).catch(() => [])) {
      if (ENTRY.test(hash)) await rm(join(this.entry(hash), 'holders', holder), { force: true });
    }
  }

  /**
   * Removes what nobody holds and nobody will ask for again.
   * @param isNeeded by the manifest's hash. @returns bytes freed.
   */
  async collect(isNeeded: (hash: string) => boolean): Promise<number> {
    let freedBytes = 0;
    for (const hash of await this.held()) {
      if (isNeeded(hash)) continue;
      const bytes = (await this.stampOf(hash))?.bytes ?? 0;
      if (await this.remove(hash)) freedBytes += bytes;
    }
    return freedBytes;
  }

  /** Removes what was not used for longest and is held by nobody, until `neededBytes` more fit. */
  private async makeRoom(neededBytes: number): Promise<void> {
    const entries: { hash: string; bytes: number; usedMs: number }[] = [];
    for (const hash of await this.held()) {
      const bytes = (await this.stampOf(hash))?.bytes ?? 0;
      const usedMs = (await stat(this.stampFile(hash))).mtimeMs;
      entries.push({ hash, bytes, usedMs });
    }
    let total = neededBytes + entries.reduce((sum, { bytes }) => sum + bytes, 0);
    for (const { hash, bytes } of entries.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this.options.maxBytes) return;
      if (await this.remove(hash)) total -= bytes;
    }
  }

  private async remove(hash: string): Promise<boolean> {
    const unlock = await tryLock(this.lockFile(hash));
    if (!unlock) return false;
    try {
      if ((await readdir(join(this.entry(hash), 'holders'))).length > 0) return false;
      await rm(this.stampFile(hash), { force: true });
      await removeTree(this.entry(hash));
      return true;
    } finally {
      await unlock();
    }
  }

  private async isWhole(hash: string): Promise<boolean> {
    const stamp = await this.stampOf(hash);
    if (!stamp) return false;
    const found = await stampsIn(join(this.entry(hash), 'tree')).catch(() => undefined);
    return JSON.stringify(found) === JSON.stringify(stamp.files);
  }

  private async stampOf(hash: string): Promise<Stamp | undefined> {
    const text = await readFile(this.stampFile(hash), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : stampSchema.parse(JSON.parse(text));
  }

  /** Runs the section while no other process writes or removes this version. */
  private async exclusively<T>(
    hash: string,
    signal: AbortSignal | undefined,
    section: () => Promise<T>,
  ): Promise<T> {
    for (;;) {
      if (signal?.aborted) throw new SluiceError('cancelled', 'Waiting for a dataset was cancelled.');
      const unlock = await tryLock(this.lockFile(hash));
      if (unlock) return section().finally(unlock);
      await new Promise<void>((resolve) => this.options.trees.chunks.clock.after(POLL_MS, resolve));
    }
  }

  private entry(hash: string): string {
    return join(this.options.folder, hash);
  }

  private stampFile(hash: string): string {
    return join(this.entry(hash), 'stamp.json');
  }

  private lockFile(hash: string): string {
    return join(this.options.folder, `${hash}.lock`);
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function stampsIn(root: string): Promise<Stamp['files']> {
  const stamps: Stamp['files'] = {};
  for (const path of (await readdir(root, { recursive: true })).sort()) {
    const { size, mtimeMs, ctimeMs } = await lstat(join(root, path));
    stamps[path] = [size, mtimeMs, ctimeMs];
  }
  return stamps;
}
