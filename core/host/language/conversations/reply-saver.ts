import { SluiceError } from '../../../contract';
import type { Message, WireError } from '../../../contract';
import type { Generation } from '../../../llm';
import { isoTime } from '../../host-clock';
import type { HostClock } from '../../host-clock';
import type { Log } from '../../state-file';
import type { ActiveReply } from './active-reply';
import type { ConversationFolder } from './conversation-folder';
import type { StoredConversation } from './stored-conversation';

/** What a crash can cost of a reply. */
const SAVE_EVERY_MS = 1000;

/** How a reply ended. */
export interface Ending {
  readonly state: 'done' | 'cancelled' | 'failed';
  readonly finishReason?: Generation['finishReason'];
  readonly error?: WireError;
  /** In the cache. */
  readonly tokens?: number;
}

export interface ReplySaverParts {
  readonly folder: ConversationFolder;
  readonly reply: ActiveReply;
  /** Of the model. */
  readonly sha256: string;
  readonly clock: HostClock;
  readonly log: Log;
}

/** Keeps a reply on disk while it is written. */
export class ReplySaver {
  private savedMs: number;
  private saving: Promise<void> | undefined;
  private hasFailed = false;

  constructor(private readonly parts: ReplySaverParts) {
    this.savedMs = parts.clock.nowMs();
  }

  /** More of the reply is there. A failure is told once; the reply goes on and is saved again later. */
  soon(): void {
    const nowMs = this.parts.clock.nowMs();
    if (this.saving || nowMs - this.savedMs < SAVE_EVERY_MS) return;
    this.savedMs = nowMs;
    this.saving = this.saveSoFar().finally(() => (this.saving = undefined));
  }

  /** Saves the whole reply. @returns it; as failed when it could not be saved. */
  async end({ tokens, ...ending }: Ending): Promise<Message> {
    await this.saving;
    const { reply } = this.parts;
    const isDone = ending.state === 'done';
    const { message, tokens: written } = isDone
      ? { message: reply.message(), tokens: [] }
      : reply.resumable();
    const ended = { ...message, ...ending };
    try {
      await this.save(ended, written, (stored) => {
        const { process: _ended, ...rest } = stored;
        const updatedAt = isoTime(this.parts.clock.nowMs());
        return { ...rest, updatedAt, ...(tokens !== undefined && { tokens }) };
      });
      return ended;
    } catch (thrown) {
      const { code, message: reason, details } = SluiceError.from(thrown);
      const error = { code, message: `This reply was not saved: ${reason}`, details };
      return { ...ended, state: 'failed', error };
    }
  }

  private async saveSoFar(): Promise<void> {
    const { message, tokens } = this.parts.reply.resumable();
    try {
      await this.save(message, tokens, (stored) => stored);
    } catch (thrown) {
      if (!this.hasFailed)
        this.parts.log(`A reply was not saved so far: ${SluiceError.from(thrown).message}`);
      this.hasFailed = true;
    }
  }

  private async save(
    message: Message,
    tokens: readonly number[],
    alsoChange: (stored: StoredConversation) => StoredConversation,
  ): Promise<void> {
    const { folder, sha256 } = this.parts;
    await folder.change((current) => {
      const { partial: _before, ...rest } = alsoChange(current);
      const messages = rest.messages.map((other) => (other.id === message.id ? message : other));
      return { ...rest, messages, ...(tokens.length > 0 && { partial: { sha256, tokens } }) };
    });
  }
}
