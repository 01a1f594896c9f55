import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { appendFile, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

import { ioError, isProcessAlive, processMark, writeFileAtomic } from '../../../storage';
import { CHUNK_HASH, type ChunkStore } from './chunk-store';

/** A push over the network whose client has not been heard of for so long is given up. */
export const REMOTE_LEASE_MS = 24 * 3600 * 1000;
/** One that was given up and removed must not come back without its first line. */
const APPEND_TO_EXISTING = constants.O_WRONLY | constants.O_APPEND;
const LOCAL = 'local';
const REMOTE = 'remote';
/** `local.PROCESS.RANDOM` or `remote.ID`. */
const LEASE_NAME = /^(local|remote)\.([0-9a-zA-Z-]+)(?:\.[0-9a-f]+)?$/;

/**
 * Says that this process is about to rely on chunks: none touched from now on is collected until it is released, or
 * the process ends.
 * @returns what releases it. @throws SluiceError `io`.
 */
export async function takeLease(store: ChunkStore): Promise<() => Promise<void>> {
  const name = `${LOCAL}.${processMark()}.${randomBytes(6).toString('hex')}`;
  const path = join(leaseFolder(store), name);
  await writeFileAtomic(path, `${Math.floor(store.clock.nowMs())}\n`);
  return () => rm(path, { force: true });
}

/**
 * A push over the network: a lease that outlives connections and the server, with the hashes of what has arrived. It
 * lives until it is released or not heard of for a day.
 */
export class PushLease {
  private readonly arrived: Set<string>;

  private constructor(
    private readonly store: ChunkStore,
    private readonly path: string,
    hashes: Iterable<string>,
  ) {
    this.arrived = new Set(hashes);
  }

  /** Takes up a push where it was left, or begins it. @param id letters, digits and hyphens. @throws SluiceError `io`. */
  static async take(store: ChunkStore, id: string): Promise<PushLease> {
    const path = join(leaseFolder(store), `${REMOTE}.${id}`);
    const text = await readLease(path);
    if (text === undefined) await writeFileAtomic(path, `${Math.floor(store.clock.nowMs())}\n`);
    // A line cut short by a power loss is no hash: that chunk is sent again.
    const hashes = (text ?? '').split('\n').filter((line) => CHUNK_HASH.test(line));
    const lease = new PushLease(store, path, hashes);
    await lease.renew();
    return lease;
  }

  /** Whether this push has sent a chunk: then it may refer to it. */
  has(hash: string): boolean {
    return this.arrived.has(hash);
  }

  /** Notes that a chunk has arrived and is stored. */
  async add(hash: string): Promise<void> {
    if (this.arrived.has(hash)) return;
    await appendFile(this.path, `\n${hash}\n`, { flag: APPEND_TO_EXISTING }).catch((cause: unknown) => {
      throw ioError(`Can't note a chunk in ${this.path}`, cause);
    });
    this.arrived.add(hash);
    await this.renew();
  }

  /** Says that the client is still there. @returns false when the push has been given up: take it anew. */
  async renew(): Promise<boolean> {
    const now = new Date(this.store.clock.nowMs());
    try {
      await utimes(this.path, now, now);
      return true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw ioError(`Can't renew ${this.path}`, cause);
    }
  }

  release(): Promise<void> {
    return rm(this.path, { force: true });
  }
}

/**
 * When the oldest push that is still going on began, in ms since the epoch; removes leases that are over.
 * @throws SluiceError `io`.
 */
export async function oldestLeaseMs(store: ChunkStore): Promise<number | undefined> {
  const folder = leaseFolder(store);
  let oldest: number | undefined;
  try {
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      const startMs = await startOf(store, path, name);
      if (startMs === 'over') await rm(path, { force: true });
      else if (startMs !== undefined) oldest = Math.min(oldest ?? startMs, startMs);
    }
  } catch (cause) {
    throw ioError(`Can't read the leases in ${folder}`, cause);
  }
  return oldest;
}

async function startOf(store: ChunkStore, path: string, name: string): Promise<number | 'over' | undefined> {
  const match = LEASE_NAME.exec(name);
  // Such as one that is just being written.
  if (!match) return undefined;
  const [, kind, mark = ''] = match;
  const found = await stat(path).catch(() => undefined);
  if (!found) return undefined;
  const isLive =
    kind === LOCAL ? isProcessAlive(mark) : store.clock.nowMs() - found.mtimeMs < REMOTE_LEASE_MS;
  if (!isLive) return 'over';
  const startMs = Number((await readLease(path))?.split('\n', 1)[0]);
  // One that can't be read holds back everything.
  return Number.isFinite(startMs) ? startMs : 0;
}

async function readLease(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Can't read ${path}`, cause);
  }
}

function leaseFolder(store: ChunkStore): string {
  return join(store.root, 'leases');
}
