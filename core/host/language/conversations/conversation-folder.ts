import { existsSync } from 'node:fs';
import { readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { z } from 'zod';

import { SluiceError, isNewerStore, refuseNewer } from '../../../contract';
import { ioError, withLock, writeFileAtomic } from '../../../storage';
import { CONVERSATION_FORMAT, recovered, storedConversationSchema } from './stored-conversation';
import type { StoredConversation } from './stored-conversation';

const CONVERSATION_FILE = 'conversation.json';

/** The folder of one conversation: its text, and what sources of tokens keep of it. */
export class ConversationFolder {
  private readonly file: string;

  constructor(
    readonly path: string,
    private readonly id: string,
    /** The reply that this process is writing. */
    private readonly runningHere: () => string | undefined,
  ) {
    this.file = join(path, CONVERSATION_FILE);
  }

  /**
   * @throws SluiceError `not-found`, `corrupt-store` (with what is wrong and what to do), `unsupported` when a newer Sluice
   * wrote it, `io`.
   */
  async read(): Promise<StoredConversation> {
    const stored = await this.stored();
    // A reply that has ended since the file was read would pass for one that was cut off: the file now tells better.
    const isCutOff = recovered(stored, this.runningHere()) !== stored;
    return isCutOff ? recovered(await this.stored(), this.runningHere()) : stored;
  }

  /** Writes a conversation that is new. @throws SluiceError `io`. */
  async write(stored: StoredConversation): Promise<void> {
    await writeFileAtomic(this.file, JSON.stringify(stored));
  }

  /**
   * Changes what the file holds then; no other process changes it at the same time.
   * @throws as `read`; what `change` throws, and then nothing has changed; `io`.
   */
  async change(change: (current: StoredConversation) => StoredConversation): Promise<StoredConversation> {
    try {
      return await withLock(`${this.file}.lock`, async () => {
        const changed = change(await this.read());
        await this.write(changed);
        return changed;
      });
    } catch (cause) {
      throw this.missing(cause) ?? ioError(`Can't change ${this.file}`, cause);
    }
  }

  /** Names what the file holds now; another once it has been written again. '' when there is none. */
  async version(): Promise<string> {
    const found = await stat(this.file).catch(() => undefined);
    return found ? `${found.ino} ${found.mtimeMs} ${found.size}` : '';
  }

  /** When the file was last written. */
  async writtenMs(): Promise<number> {
    const found = await stat(this.file).catch(() => undefined);
    return found?.mtimeMs ?? 0;
  }

  /** On disk, with everything in the folder. Files that go meanwhile don't count. */
  bytes(): Promise<number> {
    return bytesBelow(this.path);
  }

  private async stored(): Promise<StoredConversation> {
    const text = await readFile(this.file, 'utf8').catch((cause: unknown) => {
      throw this.missing(cause) ?? ioError(`Can't read ${this.file}`, cause);
    });
    return this.parse(text);
  }

  private parse(text: string): StoredConversation {
    try {
      const value: unknown = JSON.parse(text);
      const known = CONVERSATION_FORMAT;
      refuseNewer(value, 'format', { path: this.file, what: 'a conversation', known });
      const stored = storedConversationSchema.parse(value);
      if (stored.id === this.id) return stored;
      throw new Error(`expected the id ${this.id}, found ${stored.id}`);
    } catch (cause) {
      if (isNewerStore(cause)) throw cause;
      throw new SluiceError(
        'corrupt-store',
        `${this.file} is not a saved conversation: ${faultsOf(cause)}. Put back a copy of it, or delete the conversation.`,
        { id: this.id, path: this.file },
        { cause },
      );
    }
  }

  private missing(cause: unknown): SluiceError | undefined {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') return undefined;
    return existsSync(this.path)
      ? new SluiceError(
          'corrupt-store',
          `${this.file} is missing. Put back a copy of it, or delete the conversation.`,
          { id: this.id, path: this.file },
        )
      : new SluiceError('not-found', `There is no conversation ${this.id}; it may have been deleted.`, {
          id: this.id,
        });
  }
}

const FAULTS_TOLD = 3;

function faultsOf(cause: unknown): string {
  if (!(cause instanceof z.ZodError)) return cause instanceof Error ? cause.message : String(cause);
  const faults = cause.issues.map(({ path, message }) => `${path.join('.') || 'content'}: ${message}`);
  const more = faults.length > FAULTS_TOLD ? `, and ${faults.length - FAULTS_TOLD} more` : '';
  return `${faults.slice(0, FAULTS_TOLD).join('; ')}${more}`;
}

async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const sizes = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? bytesBelow(path) : (await stat(path)).size;
  });
  const found = await Promise.allSettled(sizes);
  return found.reduce((sum, size) => sum + (size.status === 'fulfilled' ? size.value : 0), 0);
}
