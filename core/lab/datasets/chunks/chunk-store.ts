import { randomBytes, webcrypto } from 'node:crypto';
import { access, mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';

import { systemClock, type Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import { ioError, processFolder, sweepProcessFolders, syncFolder } from '../../../storage';

const PREFIXES = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));
/** SHA-256, lower-case hexadecimal. */
export const CHUNK_HASH = /^[0-9a-f]{64}$/;

/** What `put` did. */
export type PutOutcome = 'stored' | 'known';

/**
 * Contents by their SHA-256, one file each, in a folder that several processes may use at once. A file appears whole
 * and flushed or not at all, and its time of change says when somebody last relied on it (`collectChunks`).
 */
export class ChunkStore {
  private readonly unsyncedPrefixes = new Set<string>();
  /** Two writers of one content in this process become one. */
  private readonly pending = new Map<string, Promise<PutOutcome>>();

  private constructor(
    readonly root: string,
    readonly clock: Clock,
  ) {}

  /** Opens or makes the store and removes what processes that died left half written. @throws SluiceError `io`. */
  static async open(root: string, clock: Clock = systemClock): Promise<ChunkStore> {
    const store = new ChunkStore(root, clock);
    try {
      await makeFolders(store);
      await mkdir(processFolder(join(root, 'staged')), { recursive: true });
      await sweepProcessFolders(join(root, 'staged'));
    } catch (cause) {
      throw ioError(`Can't use ${root} as a store of chunks`, cause);
    }
    return store;
  }

  /** The folder of chunks whose hash begins with two digits. */
  folderOf(prefix: string): string {
    return join(this.root, 'chunks', prefix);
  }

  pathOf(hash: string): string {
    return join(this.folderOf(hash.slice(0, 2)), hash);
  }

  /** Taken for short: by a sweep for a folder, by who records what refers to chunks. */
  get lockFile(): string {
    return join(this.root, 'store.lock');
  }

  /**
   * Keeps a content; one that is there already is only touched.
   * @param bytes must not change until this is done.
   * @throws SluiceError `bad-input` when they are not what the hash says, `io` when the disk is full or fails.
   */
  async put(hash: string, bytes: Uint8Array): Promise<PutOutcome> {
    const found = await hashOf(bytes);
    if (found !== hash) {
      throw new SluiceError(
        'bad-input',
        `Chunk ${hash}: expected the content of this SHA-256, found ${found} of ${bytes.length} bytes. Send it again.`,
        { expected: hash, found },
      );
    }
    return this.putHashed(hash, bytes);
  }

  /** `put` of what the caller has just hashed. */
  async putHashed(hash: string, bytes: Uint8Array): Promise<PutOutcome> {
    const other = this.pending.get(hash);
    if (other) return other.then(() => 'known');
    const outcome = this.putOnce(hash, bytes).finally(() => this.pending.delete(hash));
    this.pending.set(hash, outcome);
    return outcome;
  }

  private async putOnce(hash: string, bytes: Uint8Array): Promise<PutOutcome> {
    if (await this.touch(hash, bytes.length)) return 'known';
    await this.write(hash, bytes);
    return 'stored';
  }

  /**
   * Whether a content is there; if so it counts as relied on from now. A file of another length is taken for damaged,
   * so that the next `put` replaces it.
   * @throws SluiceError `io`.
   */
  async touch(hash: string, byteLength?: number): Promise<boolean> {
    const path = this.pathOf(hash);
    const now = new Date(this.clock.nowMs());
    try {
      await utimes(path, now, now);
      // Still there after the touch: a sweep that takes it away from now on sees that it was touched.
      const { size } = await stat(path);
      return byteLength === undefined || size === byteLength;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw ioError(`Can't look at chunk ${hash} in ${this.root}`, cause);
    }
  }

  /** Whether it is there, without touching. */
  async has(hash: string, byteLength: number): Promise<boolean> {
    const found = await stat(this.pathOf(hash)).catch(() => undefined);
    return found?.size === byteLength;
  }

  /**
   * A content, checked against its hash.
   * @throws SluiceError `not-found`, `corrupt-store` when the disk gives other bytes, `io`.
   */
  async read(hash: string): Promise<Buffer> {
    let bytes: Buffer;
    try {
      bytes = await readFile(this.pathOf(hash));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
        throw ioError(`Can't read chunk ${hash} in ${this.root}`, cause);
      }
      throw new SluiceError('not-found', `Chunk ${hash} is not in ${this.root}.`, { hash }, { cause });
    }
    const found = await hashOf(bytes);
    if (found === hash) return bytes;
    throw new SluiceError(
      'corrupt-store',
      `Chunk ${hash} in ${this.root}: its bytes have changed on the disk (SHA-256 ${found}). ` +
        'Verify the dataset to see which files it is part of, then push them again.',
      { hash, found },
    );
  }

  /** Takes a damaged content out of the way, so that pushing it again stores it anew. */
  async setAside(hash: string): Promise<void> {
    await rename(this.pathOf(hash), join(this.root, 'damaged', hash)).catch((cause: unknown) => {
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT')
        throw ioError(`Can't set chunk ${hash} aside`, cause);
    });
  }

  /** What this object has put survives a power loss from now on. @throws SluiceError `io`. */
  async sync(): Promise<void> {
    const prefixes = [...this.unsyncedPrefixes];
    try {
      for (const prefix of prefixes) await syncFolder(this.folderOf(prefix));
    } catch (cause) {
      throw ioError(`Can't flush ${this.root}`, cause);
    }
    for (const prefix of prefixes) this.unsyncedPrefixes.delete(prefix);
  }

  private async write(hash: string, bytes: Uint8Array): Promise<void> {
    const staged = join(processFolder(join(this.root, 'staged')), randomBytes(8).toString('hex'));
    const now = new Date(this.clock.nowMs());
    try {
      const file = await open(staged, 'wx', 0o444);
      try {
        await file.writeFile(bytes);
        await file.utimes(now, now);
        // Before it gets its name: a power loss must not leave a name without its bytes.
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(staged, this.pathOf(hash));
    } catch (cause) {
      await rm(staged, { force: true });
      throw ioError(`Can't store chunk ${hash} in ${this.root}`, cause);
    }
    this.unsyncedPrefixes.add(hash.slice(0, 2));
  }
}

/** SHA-256 as lower-case hex, computed beside the caller's thread. */
export async function hashOf(bytes: Uint8Array): Promise<string> {
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes)).toString('hex');
}

async function makeFolders(store: ChunkStore): Promise<void> {
  const last = store.folderOf(PREFIXES.at(-1)!);
  const isMade = await access(last).then(
    () => true,
    () => false,
  );
  if (isMade) return;
  for (const name of ['leases', 'damaged', 'trash']) await mkdir(join(store.root, name), { recursive: true });
  for (const prefix of PREFIXES) await mkdir(store.folderOf(prefix), { recursive: true });
  await syncFolder(join(store.root, 'chunks'));
  await syncFolder(store.root);
}

/** The 256 folders, by name. */
export function chunkPrefixes(): readonly string[] {
  return PREFIXES;
}
