import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import type { ConversationSummary } from '../../../contract';
import { ioError, processFolder, removeIfEmpty, sweepProcessFolders, syncFolder } from '../../../storage';
import type { EventBus } from '../../event-bus';
import { isoTime } from '../../host-clock';
import { Mutex } from '../../mutex';
import type { Log } from '../../state-file';
import { ConversationFolder } from './conversation-folder';
import { titleOf } from './stored-conversation';
import type { StoredConversation } from './stored-conversation';

/** Conversations that are coming or going, below a folder of the process at work. */
const MOVING_FOLDER = '.moving';
const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const UNREADABLE = 'Conversation that can not be read';

export interface ConversationStoreParts {
  readonly folder: string;
  readonly bus: EventBus;
  readonly log: Log;
  /** The reply that this process is writing. */
  readonly runningHere: () => string | undefined;
}

interface KnownSummary {
  readonly version: string;
  readonly summary: Omit<ConversationSummary, 'bytes'>;
}

/**
 * Conversations of a data folder, each in a folder of its id, which comes and goes in one step. All engines on the data
 * folder see the same: nothing is remembered that the files don't hold.
 */
export class ConversationStore {
  private readonly known = new Map<string, KnownSummary>();
  private readonly moving = new Mutex();
  private telling: Promise<void> = Promise.resolve();

  constructor(private readonly parts: ConversationStoreParts) {}

  /** @throws SluiceError `not-found` for what is no id. */
  folder(id: string): ConversationFolder {
    if (!ID.test(id)) throw new SluiceError('not-found', `There is no conversation ${id}.`, { id });
    return new ConversationFolder(join(this.parts.folder, id), id, this.parts.runningHere);
  }

  /** Newest first. One that can't be read says so, and takes no other down. @throws SluiceError `io`. */
  async list(): Promise<readonly ConversationSummary[]> {
    const ids = await this.ids();
    const summaries = await Promise.all(ids.map((id) => this.summary(id)));
    for (const id of this.known.keys()) if (!ids.includes(id)) this.known.delete(id);
    return summaries
      .filter((summary) => summary !== undefined)
      .sort((a, b) => b.updatedAt.localeCompare(a.updatedAt) || a.id.localeCompare(b.id));
  }

  /** @throws SluiceError `io`. */
  async create(stored: StoredConversation): Promise<void> {
    await this.move(stored.id, async (staged) => {
      try {
        await new ConversationFolder(staged, stored.id, this.parts.runningHere).write(stored);
        await rename(staged, this.folder(stored.id).path);
      } catch (cause) {
        throw ioError(`Can't create a conversation in ${this.parts.folder}`, cause);
      }
    });
  }

  /** @throws SluiceError `not-found`, `io`. */
  async delete(id: string): Promise<void> {
    const { path } = this.folder(id);
    if (!existsSync(path)) throw new SluiceError('not-found', `There is no conversation ${id}.`, { id });
    await this.move(id, async (moving) => {
      await rename(path, join(moving, id)).catch((cause: unknown) => {
        throw ioError(`Can't delete ${path}`, cause);
      });
    });
  }

  /** Tells the consoles what there is, in order, soon. */
  tell(): void {
    this.telling = this.telling.then(async () => {
      try {
        this.parts.bus.emit('conversations', await this.list());
      } catch (thrown) {
        this.parts.log(`Conversations were not listed: ${SluiceError.from(thrown).message}`);
      }
    });
  }

  /** Resolves when all has been told. */
  settled(): Promise<void> {
    return this.telling;
  }

  private async ids(): Promise<readonly string[]> {
    try {
      return (await readdir(this.parts.folder)).filter((name) => ID.test(name));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw ioError(`Can't list ${this.parts.folder}`, cause);
    }
  }

  /** @returns undefined for one that has gone meanwhile. */
  private async summary(id: string): Promise<ConversationSummary | undefined> {
    const folder = this.folder(id);
    const bytes = await folder.bytes();
    const version = await folder.version();
    const known = this.known.get(id);
    if (known && known.version === version && version !== '') return { ...known.summary, bytes };
    try {
      const summary = summaryOf(await folder.read());
      this.known.set(id, { version, summary });
      return { ...summary, bytes };
    } catch (thrown) {
      const { code, message } = SluiceError.from(thrown);
      if (code === 'not-found') return undefined;
      const updatedAt = isoTime(await folder.writtenMs());
      return { id, title: UNREADABLE, model: '', tokens: 0, bytes, updatedAt, brokenReason: message };
    }
  }

  /** Lets a section move something in or out of a folder that is gone afterwards. */
  private async move(id: string, section: (moving: string) => Promise<void>): Promise<void> {
    await this.moving.run(async () => {
      const folder = await this.movingFolder(id);
      try {
        await section(folder);
        await syncFolder(this.parts.folder);
      } finally {
        await this.tidy(folder);
      }
    });
    this.tell();
  }

  /** A new, empty folder; what ended processes left is swept away. */
  private async movingFolder(id: string): Promise<string> {
    const root = join(this.parts.folder, MOVING_FOLDER);
    try {
      await sweepProcessFolders(root);
      const path = join(processFolder(root), `${id}.${randomBytes(4).toString('hex')}`);
      await mkdir(path, { recursive: true });
      return path;
    } catch (cause) {
      throw ioError(`Can't write ${root}`, cause);
    }
  }

  /** What stays behind is swept away by the next. */
  private async tidy(moving: string): Promise<void> {
    const root = join(this.parts.folder, MOVING_FOLDER);
    try {
      await rm(moving, { recursive: true, force: true });
      for (const folder of [processFolder(root), root]) await removeIfEmpty(folder);
    } catch (thrown) {
      this.parts.log(`${moving} was not removed: ${SluiceError.from(thrown).message}`);
    }
  }
}

export function summaryOf(stored: StoredConversation): Omit<ConversationSummary, 'bytes'> {
  const { id, model, tokens, updatedAt } = stored;
  return { id, title: titleOf(stored), model, tokens, updatedAt };
}
