import { open, readFile, type FileHandle } from 'node:fs/promises';
import { ioError, writeFileAtomic } from '../../storage';
import { BLOCK_TOKENS } from '../full-cache';
import type { JournalHeader } from './cache-identity';
import {
  commitRecord,
  headerRecord,
  scanJournal,
  truncateRecord,
  type JournalContent,
  type JournalRecord,
} from './journal-records';

/** What the valid prefix of a journal says; undefined when there is none. @throws SluiceError `io`, `stale-store`, `unsupported`. */
export async function readJournal(path: string): Promise<JournalContent | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Can't read ${path}`, cause);
  }
  return scanJournal(bytes, path);
}

/** Begins a journal in place of any that is there. @throws SluiceError `io`. */
export async function createJournal(path: string, header: JournalHeader): Promise<JournalContent> {
  const { bytes } = headerRecord(header);
  await writeFileAtomic(path, bytes);
  return scanJournal(bytes)!;
}

/** A journal that grows. What a call changed is on disk when it resolves; one that rejects changed nothing. */
export class JournalFile {
  private constructor(
    private readonly path: string,
    private readonly file: FileHandle,
    readonly content: JournalContent,
  ) {}

  /** Cuts off what is not valid. @throws SluiceError `io`. */
  static async open(path: string, content: JournalContent): Promise<JournalFile> {
    try {
      const file = await open(path, 'r+');
      await file.truncate(content.byteLength);
      return new JournalFile(path, file, content);
    } catch (cause) {
      throw ioError(`Can't open ${path}`, cause);
    }
  }

  /** Blocks up to `end` count from now on; their sums stand in `content.sums`. @throws SluiceError `io`. */
  async commit(end: number, tokens: readonly number[]): Promise<void> {
    await this.append(commitRecord(this.content, end, tokens));
    this.content.blocks = end;
    for (const token of tokens) this.content.tokens.push(token);
  }

  /** Blocks from `blocks` on count no more. @throws SluiceError `io`. */
  async truncate(blocks: number): Promise<void> {
    await this.append(truncateRecord(blocks, this.content.digest));
    this.content.blocks = blocks;
    this.content.tokens.length = blocks * BLOCK_TOKENS;
  }

  async close(): Promise<void> {
    await this.file.close();
  }

  private async append({ bytes, digest }: JournalRecord): Promise<void> {
    const { content } = this;
    try {
      for (let done = 0; done < bytes.byteLength;) {
        const at = content.byteLength + done;
        const { bytesWritten } = await this.file.write(bytes, done, bytes.byteLength - done, at);
        done += bytesWritten;
      }
      await this.file.datasync();
    } catch (cause) {
      // Whatever came of it lies behind the valid prefix, where the next record is written over it.
      await this.file.truncate(content.byteLength).catch(() => undefined);
      throw ioError(`Can't write ${this.path}`, cause);
    }
    content.byteLength += bytes.byteLength;
    content.digest = digest;
  }
}
