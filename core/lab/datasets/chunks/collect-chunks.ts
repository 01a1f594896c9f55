import { access, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import { ioError, isProcessAlive, processFolder, withLock } from '../../../storage';
import { oldestLeaseMs } from './chunk-leases';
import { CHUNK_HASH, chunkPrefixes, type ChunkStore } from './chunk-store';

/** Unreferenced chunks younger than this stay by default: of a push that may go on, of a version just removed. */
export const DEFAULT_GRACE_MS = 24 * 3600 * 1000;
/** Times of files are rounded. */
const SLACK_MS = 10;

export interface Collected {
  readonly removedChunks: number;
  readonly removedBytes: number;
  readonly keptChunks: number;
  readonly keptBytes: number;
}

/**
 * Deletes what nothing refers to and nobody has touched for `graceMs`, nor since the oldest push began that is still
 * going on. Safe beside pushes and other sweeps of any process:
 * - who refers to chunks first takes a lease, then touches or writes each, then records the reference while it holds
 *   the store's lock;
 * - here leases are read before references, so a push is seen as one or the other, or began later than both;
 * - a chunk is moved aside before its time is looked at again: a touch that came before is seen, one that comes after
 *   finds nothing and writes the chunk anew;
 * - all this happens under the store's lock, so who holds it finds every chunk in its place.
 * @param options.graceMs must be longer than what the clocks of processes differ by; a minute is.
 * @param referenced asked once, after the leases were read. @throws SluiceError `cancelled`, `io`, what it throws.
 */
export async function collectChunks(
  store: ChunkStore,
  referenced: () => Promise<ReadonlySet<string>>,
  options: { readonly graceMs?: number; readonly signal?: AbortSignal } = {},
): Promise<Collected> {
  const { graceMs = DEFAULT_GRACE_MS, signal } = options;
  const nowMs = store.clock.nowMs();
  const leaseMs = await oldestLeaseMs(store);
  const beforeMs = Math.min(nowMs - graceMs, leaseMs ?? Infinity) - SLACK_MS;
  const kept = await referenced();
  const total = { removedChunks: 0, removedBytes: 0, keptChunks: 0, keptBytes: 0 };
  for (const prefix of chunkPrefixes()) {
    if (signal?.aborted) throw new SluiceError('cancelled', 'Collecting chunks was cancelled.');
    await withStore(store, () => sweep(store, prefix, kept, beforeMs, total));
  }
  return total;
}

/**
 * Runs a short section in which no sweep takes chunks away, after putting back what a sweep that died had moved aside.
 * @throws SluiceError `conflict` when another process holds the store for long, `io`, what the section throws.
 */
export function withStore<T>(store: ChunkStore, section: () => Promise<T>): Promise<T> {
  return withLock(store.lockFile, async () => {
    await putBack(store);
    return section();
  });
}

async function sweep(
  store: ChunkStore,
  prefix: string,
  kept: ReadonlySet<string>,
  beforeMs: number,
  total: { -readonly [K in keyof Collected]: number },
): Promise<void> {
  const folder = store.folderOf(prefix);
  const trash = processFolder(join(store.root, 'trash'));
  try {
    for (const hash of await readdir(folder)) {
      const path = join(folder, hash);
      const found = await stat(path).catch(() => undefined);
      // Set aside as damaged in the meantime.
      if (!found) continue;
      const { size, mtimeMs } = found;
      if (kept.has(hash) || mtimeMs >= beforeMs || !(await remove(path, trash, hash, beforeMs))) {
        total.keptChunks += 1;
        total.keptBytes += size;
      } else {
        total.removedChunks += 1;
        total.removedBytes += size;
      }
    }
  } catch (cause) {
    throw ioError(`Can't collect chunks in ${folder}`, cause);
  }
}

/** @returns false when somebody touched it in the meantime; it is then in its place. */
async function remove(path: string, trash: string, hash: string, beforeMs: number): Promise<boolean> {
  await mkdir(trash, { recursive: true });
  const aside = join(trash, hash);
  await rename(path, aside);
  const { mtimeMs } = await stat(aside);
  if (mtimeMs < beforeMs) {
    await rm(aside);
    return true;
  }
  // Over one that was written anew meanwhile: the content is the same.
  await rename(aside, path);
  return false;
}

async function putBack(store: ChunkStore): Promise<void> {
  const trash = join(store.root, 'trash');
  for (const mark of await readdir(trash)) {
    // The lock is ours, so nobody else is sweeping; this process's own folder is empty between sweeps.
    const folder = join(trash, mark);
    for (const hash of await readdir(folder)) {
      if (CHUNK_HASH.test(hash)) await restore(join(folder, hash), store.pathOf(hash));
    }
    if (!isProcessAlive(mark)) await rm(folder, { recursive: true, force: true });
  }
}

async function restore(aside: string, path: string): Promise<void> {
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  await (isThere ? rm(aside, { force: true }) : rename(aside, path));
}
