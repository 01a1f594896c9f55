import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readFile, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

import { z } from 'zod';

import { ioError, syncFolder, writeFileAtomic } from '../../storage';
import type { HubFile } from './hub-client';

const noteSchema = z.object({
  bytes: z.int().nonnegative(),
  sha256: z.string().optional(),
  gitSha1: z.string().optional(),
  /** Of the server that the bytes came from. */
  etag: z.string().optional(),
});
type Note = z.infer<typeof noteSchema>;
/** Bytes that a power cut may take: the rest of a partial file is there. */
const SYNC_EVERY_BYTES = 64 << 20;

/**
 * A download as far as it is: `FILE.part`, with a note beside it of what the whole will be. It outlives the process; what
 * belongs to other contents is thrown away.
 */
export class PartialFile {
  private hash: Hash;
  private unsynced = 0;

  private constructor(
    readonly target: string,
    readonly file: HubFile,
    private readonly handle: FileHandle,
    private note: Note,
    private have: number,
    hash: Hash,
  ) {
    this.hash = hash;
  }

  /**
   * @param target where the whole file will be. @param file whose contents are expected.
   * @throws SluiceError `io`.
   */
  static async open(target: string, file: HubFile): Promise<PartialFile> {
    const part = `${target}.part`;
    try {
      await mkdir(dirname(target), { recursive: true });
      const note = await readNote(target);
      const isSame = note !== undefined && sameContents(note, file);
      if (!isSame) await rm(part, { force: true });
      const handle = await open(part, 'a+');
      let have = (await handle.stat()).size;
      if (have > file.bytes) {
        await handle.truncate(0);
        have = 0;
      }
      const fresh = { bytes: file.bytes, ...digestsOf(file) };
      const hash = newHash(file);
      for await (const chunk of have > 0 ? createReadStream(part) : []) hash.update(chunk as Buffer);
      const partial = new PartialFile(target, file, handle, isSame ? note : fresh, have, hash);
      if (!isSame) await partial.writeNote();
      return partial;
    } catch (cause) {
      throw ioError(`Can't write ${part}`, cause);
    }
  }

  /** Bytes that are there. */
  get bytes(): number {
    return this.have;
  }

  get etag(): string | undefined {
    return this.note.etag;
  }

  /** Notes which version the bytes to come are of; weak tags tell nothing. */
  async setEtag(etag: string | undefined): Promise<void> {
    const strong = etag?.startsWith('W/') ? undefined : etag;
    if (strong === this.note.etag) return;
    const { etag: _before, ...rest } = this.note;
    this.note = strong === undefined ? rest : { ...rest, etag: strong };
    await this.writeNote();
  }

  /** @throws SluiceError `io`, e.g. when the disk is full; what is there then stays. */
  async append(chunk: Uint8Array): Promise<void> {
    try {
      let written = 0;
      while (written < chunk.length) {
        const { bytesWritten } = await this.handle.write(chunk, written);
        this.hash.update(chunk.subarray(written, written + bytesWritten));
        written += bytesWritten;
        this.have += bytesWritten;
        this.unsynced += bytesWritten;
      }
      if (this.unsynced < SYNC_EVERY_BYTES) return;
      this.unsynced = 0;
      await this.handle.datasync();
    } catch (cause) {
      throw ioError(`Can't write ${this.target}.part`, cause);
    }
  }

  /** Throws away what is there. @throws SluiceError `io`. */
  async restart(): Promise<void> {
    await this.handle.truncate(0).catch((cause: unknown) => {
      throw ioError(`Can't write ${this.target}.part`, cause);
    });
    this.have = 0;
    this.hash = newHash(this.file);
  }

  /** Keeps what is there for another time. */
  async close(): Promise<void> {
    await this.handle.close();
  }

  /**
   * Compares the whole with its checksum, and gives it its name. The file is closed either way.
   * @returns what is wrong, after which nothing is kept. @throws SluiceError `io`.
   */
  async finish(): Promise<string | undefined> {
    const { sha256, gitSha1 } = this.file;
    const found = this.hash.digest('hex');
    const expected = sha256 ?? gitSha1 ?? found;
    try {
      await this.handle.sync();
      await this.handle.close();
      if (found === expected) {
        await rename(`${this.target}.part`, this.target);
        await syncFolder(dirname(this.target));
        return undefined;
      }
      await rm(`${this.target}.part`, { force: true });
      await rm(notePath(this.target), { force: true });
    } catch (cause) {
      throw ioError(`Can't write ${this.target}`, cause);
    }
    const name = sha256 === undefined ? 'git SHA-1' : 'SHA-256';
    return `expected ${name} ${expected}, found ${found}`;
  }

  private writeNote(): Promise<void> {
    return writeFileAtomic(notePath(this.target), JSON.stringify(this.note));
  }
}

/** Whether a file was downloaded whole and checked before. @throws SluiceError `io`. */
export async function isDownloaded(target: string, file: HubFile): Promise<boolean> {
  const size = await stat(target).then(
    (stats) => stats.size,
    () => undefined,
  );
  if (size !== file.bytes || (file.sha256 ?? file.gitSha1) === undefined) return false;
  const note = await readNote(target);
  return note !== undefined && sameContents(note, file);
}

/** Bytes of a file that need not be downloaded again. @throws SluiceError `io`. */
export async function downloadedBytes(target: string, file: HubFile): Promise<number> {
  if (await isDownloaded(target, file)) return file.bytes;
  const note = await readNote(target);
  if (!note || !sameContents(note, file)) return 0;
  return stat(`${target}.part`).then(
    ({ size }) => Math.min(size, file.bytes),
    () => 0,
  );
}

/** Removes a downloaded file with what is noted of it. @throws SluiceError `io`. */
export async function discardDownload(target: string): Promise<void> {
  try {
    for (const path of [target, `${target}.part`, notePath(target)]) await rm(path, { force: true });
  } catch (cause) {
    throw ioError(`Can't remove ${target}`, cause);
  }
}

function notePath(target: string): string {
  return `${target}.download.json`;
}

async function readNote(target: string): Promise<Note | undefined> {
  try {
    return noteSchema.safeParse(JSON.parse(await readFile(notePath(target), 'utf8'))).data;
  } catch (cause) {
    if (cause instanceof SyntaxError || (cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Can't read ${notePath(target)}`, cause);
  }
}

function sameContents(note: Note, file: HubFile): boolean {
  return note.bytes === file.bytes && note.sha256 === file.sha256 && note.gitSha1 === file.gitSha1;
}

function digestsOf({ sha256, gitSha1 }: HubFile): Pick<Note, 'sha256' | 'gitSha1'> {
  return { ...(sha256 !== undefined && { sha256 }), ...(gitSha1 !== undefined && { gitSha1 }) };
}

/** Git hashes a blob with its length in front (git-hash-object). */
function newHash({ sha256, gitSha1, bytes }: HubFile): Hash {
  if (sha256 !== undefined || gitSha1 === undefined) return createHash('sha256');
  return createHash('sha1').update(`blob ${bytes}\0`);
}
