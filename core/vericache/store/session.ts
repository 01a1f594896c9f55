import { readFile, rm, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../base';
import { isNewerStore, refuseNewer, SluiceError } from '../../contract';
import { ioError, removeIfEmpty, writeFileAtomic } from '../../storage';
import { DATA_FILE, DiskCache, JOURNAL_FILE, TAIL_FILE, type DiskCacheOptions } from './disk-cache';
import { lockFolder } from './folder-lock';

export const FACTS_FILE = 'session.json';
const CONVERSATION_FILE = 'conversation.json';

export const SESSION_VERSION = 1;

export const sessionFactsSchema = z.object({
  version: z.literal(SESSION_VERSION),
  id: z.string(),
  title: z.string(),
  /** Its name in the library; what the cache was computed with stands in the journal. */
  model: z.string(),
  isTemporary: z.boolean(),
  createdMs: z.number(),
  usedMs: z.number(),
});
export type SessionFacts = z.infer<typeof sessionFactsSchema>;

/** A session that this process has open, and nobody else: its conversation, and the cache of its text. */
export class Session {
  private cache: DiskCache | undefined;
  private closing: Promise<void> | undefined;

  private constructor(
    readonly folder: string,
    private current: SessionFacts,
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly unlock: () => Promise<void>,
  ) {}

  /** @throws SluiceError `conflict` when it is open already, `corrupt-store` (its facts), `io`. */
  static async open(folder: string, clock: Pick<Clock, 'nowMs'>): Promise<Session> {
    const unlock = await lockFolder(folder);
    try {
      const facts = await readFacts(folder);
      const session = new Session(folder, facts, clock, unlock);
      await session.change({ usedMs: clock.nowMs() });
      return session;
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  get facts(): SessionFacts {
    return this.current;
  }

  /** @throws SluiceError `io`. */
  async rename(title: string): Promise<void> {
    await this.change({ title });
  }

  /**
   * The cache of this session, made when there is none; closed with it. One at a time.
   * @throws SluiceError as `DiskCache.open`; after `stale-store`, `dropCache` makes way for a new one.
   */
  async openCache(options: Omit<DiskCacheOptions, 'folder' | 'lock'>): Promise<DiskCache> {
    await this.cache?.close();
    this.cache = await DiskCache.open({ ...options, folder: this.folder, lock: 'held' });
    return this.cache;
  }

  /** Deletes what was computed, and keeps the conversation. @throws SluiceError `io`. */
  async dropCache(): Promise<void> {
    await this.cache?.close();
    this.cache = undefined;
    // The journal first: without it nothing of the rest counts.
    for (const name of [JOURNAL_FILE, DATA_FILE, TAIL_FILE]) {
      const path = join(this.folder, name);
      await unlink(path).catch((cause: unknown) => {
        if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError(`Can't delete ${path}`, cause);
      });
    }
  }

  /** Replaces the conversation as a whole; it is on disk when this resolves. @throws SluiceError `io`. */
  async writeConversation(conversation: unknown): Promise<void> {
    await writeFileAtomic(join(this.folder, CONVERSATION_FILE), JSON.stringify(conversation));
  }

  /** @returns undefined when none was written. @throws SluiceError `corrupt-store` when it does not fit, `io`. */
  async readConversation<T>(schema: z.ZodType<T>): Promise<T | undefined> {
    return readJson(join(this.folder, CONVERSATION_FILE), schema);
  }

  /** Closes its cache too; deletes a temporary session. @throws SluiceError `io`. */
  close(): Promise<void> {
    this.closing ??= this.finish();
    return this.closing;
  }

  private async finish(): Promise<void> {
    try {
      await this.cache?.close();
      if (this.current.isTemporary) await rm(this.folder, { recursive: true, force: true });
      else await this.change({ usedMs: this.clock.nowMs() });
    } finally {
      await this.unlock();
    }
    if (!this.current.isTemporary) return;
    // The folders of this process and of all processes, when nothing else is in them.
    await removeIfEmpty(dirname(this.folder));
    await removeIfEmpty(dirname(dirname(this.folder)));
  }

  private async change(change: Partial<SessionFacts>): Promise<void> {
    const facts = { ...this.current, ...change };
    await writeFacts(this.folder, facts);
    this.current = facts;
  }
}

/** @throws SluiceError `io`. */
export async function writeFacts(folder: string, facts: SessionFacts): Promise<void> {
  await writeFileAtomic(join(folder, FACTS_FILE), JSON.stringify(facts));
}

/** @throws SluiceError `corrupt-store` when there are none or they can't be used, `unsupported` when they are newer, `io`. */
export async function readFacts(folder: string): Promise<SessionFacts> {
  const path = join(folder, FACTS_FILE);
  const facts = await readJson(path, sessionFactsSchema);
  if (facts) return facts;
  throw new SluiceError('corrupt-store', `${path} is missing: ${folder} is no session. Remove it.`, { path });
}

async function readJson<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Can't read ${path}`, cause);
  });
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (path.endsWith(FACTS_FILE)) {
      refuseNewer(value, 'version', { path, what: 'a session', known: SESSION_VERSION });
    }
    return schema.parse(value);
  } catch (cause) {
    if (isNewerStore(cause)) throw cause;
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new SluiceError(
      'corrupt-store',
      `${path} can't be used: ${reason}. Put back a copy, or remove the session.`,
      { path },
      { cause },
    );
  }
}
