import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import { ioError, processFolder, removeIfEmpty, sweepProcessFolders, syncFolder } from '../../storage';
import { BLOCK_TOKENS } from '../full-cache';
import { JOURNAL_FILE, TAIL_FILE } from './disk-cache';
import { lockFolder } from './folder-lock';
import { readJournal } from './journal-file';
import { readFacts, Session, SESSION_VERSION, writeFacts, type SessionFacts } from './session';
import { TAIL_HEAD_BYTES, tailTokens } from './tail-file';

const ID = /^[0-9a-f]{16}$/;
const STAT_BLOCK_BYTES = 512;
/** Below it a folder for each process: its temporary sessions, and what it is making or deleting. */
const TEMPORARY = '.temporary';

export interface SessionSummary extends SessionFacts {
  /** Whose keys and values are on disk. */
  readonly tokens: number;
  /** Taken, not reserved: the cache's file is sparse. */
  readonly bytesOnDisk: number;
}

export interface SessionList {
  /** The last used first. */
  readonly sessions: readonly SessionSummary[];
  /** Folders whose `session.json` can't be used; `remove` takes them. */
  readonly unusable: readonly { readonly id: string; readonly problem: string }[];
}

/** Sessions below `root`, a folder each. Several processes may work there; a session is open in one of them. */
export class SessionStore {
  private readonly own: string;

  constructor(
    private readonly root: string,
    private readonly clock: Pick<Clock, 'nowMs'>,
  ) {
    this.own = processFolder(join(root, TEMPORARY));
  }

  /** Deletes the temporary sessions of processes that have ended. @throws SluiceError `io`. */
  async sweep(): Promise<void> {
    await sweepProcessFolders(join(this.root, TEMPORARY));
  }

  /** Makes a session and opens it. @throws SluiceError `io`. */
  async create(about: Pick<SessionFacts, 'title' | 'model' | 'isTemporary'>): Promise<Session> {
    const id = randomBytes(8).toString('hex');
    const nowMs = this.clock.nowMs();
    const made = join(this.own, id);
    try {
      await mkdir(made, { recursive: true });
      await writeFacts(made, { version: SESSION_VERSION, id, ...about, createdMs: nowMs, usedMs: nowMs });
      if (about.isTemporary) return await Session.open(made, this.clock);
      await rename(made, join(this.root, id));
      await this.settle();
    } catch (cause) {
      await rm(made, { recursive: true, force: true });
      throw ioError(`Can't make a session in ${this.root}`, cause);
    }
    return Session.open(join(this.root, id), this.clock);
  }

  /** Kept sessions, and the temporary ones of this process. @throws SluiceError `io`. */
  async list(): Promise<SessionList> {
    const sessions: SessionSummary[] = [];
    const unusable: { id: string; problem: string }[] = [];
    for (const parent of [this.root, this.own]) {
      for (const id of await idsIn(parent)) {
        try {
          sessions.push(await summaryOf(join(parent, id)));
        } catch (error) {
          unusable.push({ id, problem: SluiceError.from(error).message });
        }
      }
    }
    sessions.sort((a, b) => b.usedMs - a.usedMs);
    return { sessions, unusable };
  }

  /** @throws SluiceError `not-found`, `conflict` when it is open, `corrupt-store` (its facts), `io`. */
  async open(id: string): Promise<Session> {
    return Session.open(await this.folderOf(id), this.clock);
  }

  /** Deletes a session with all that belongs to it. @throws SluiceError `not-found`, `conflict`, `io`. */
  async remove(id: string): Promise<void> {
    const folder = await this.folderOf(id);
    const unlock = await lockFolder(folder);
    const aside = join(this.own, `${id}.${randomBytes(4).toString('hex')}`);
    try {
      // One step: it is whole or gone, and what a crash leaves of it is swept.
      await mkdir(this.own, { recursive: true });
      await rename(folder, aside);
      await rm(aside, { recursive: true });
      await this.settle();
    } catch (cause) {
      await unlock();
      throw ioError(`Can't delete ${folder}`, cause);
    }
  }

  private async folderOf(id: string): Promise<string> {
    for (const parent of ID.test(id) ? [this.root, this.own] : []) {
      const folder = join(parent, id);
      if (await stat(folder).catch(() => undefined)) return folder;
    }
    throw new SluiceError('not-found', `There is no session ${id} in ${this.root}.`, { id });
  }

  private async settle(): Promise<void> {
    await removeIfEmpty(this.own);
    await removeIfEmpty(join(this.root, TEMPORARY));
    await syncFolder(this.root);
  }
}

async function idsIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw ioError(`Can't list ${folder}`, cause);
  });
  return names.filter((name) => ID.test(name));
}

async function summaryOf(folder: string): Promise<SessionSummary> {
  const facts = await readFacts(folder);
  let bytesOnDisk = 0;
  for (const name of await readdir(folder)) {
    const found = await stat(join(folder, name)).catch(() => undefined); // deleted in the meantime
    bytesOnDisk += (found?.blocks ?? 0) * STAT_BLOCK_BYTES;
  }
  return { ...facts, tokens: await tokensOf(folder), bytesOnDisk };
}

/** 0 where the cache can't be used: opening it says why. */
async function tokensOf(folder: string): Promise<number> {
  const journal = await readJournal(join(folder, JOURNAL_FILE)).catch(() => undefined);
  if (!journal) return 0;
  const head = new Uint8Array(TAIL_HEAD_BYTES);
  const tail = await open(join(folder, TAIL_FILE)).catch(() => undefined);
  if (!tail) return journal.blocks * BLOCK_TOKENS;
  try {
    const { bytesRead } = await tail.read(head, 0, head.byteLength, 0);
    const { size } = await tail.stat();
    return journal.blocks * BLOCK_TOKENS + tailTokens(head.subarray(0, bytesRead), size, journal);
  } finally {
    await tail.close();
  }
}
