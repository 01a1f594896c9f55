import { SluiceError } from '../../../contract';
import type { LanguageSettings } from '../../../contract';
import { processMark } from '../../../storage';
import type { EventBus } from '../../event-bus';
import { isoTime } from '../../host-clock';
import type { HostClock } from '../../host-clock';
import type { Log } from '../../state-file';
import { ActiveReply } from './active-reply';
import type { ConversationStore } from './conversation-store';
import type { LoadedLanguageModel } from './loaded-language-model';
import { refuseElsewhere } from './questions';
import type { Ask, Question } from './questions';
import { ReplySaver } from './reply-saver';
import { titleOf } from './stored-conversation';
import type { StoredConversation } from './stored-conversation';
import { writeReply } from './write-reply';

export interface ReplyRunnerParts {
  readonly store: ConversationStore;
  readonly loaded: LoadedLanguageModel;
  readonly bus: EventBus;
  readonly clock: HostClock;
  readonly log: Log;
}

/** Whose turn it is, from the question until the reply is saved. */
interface Turn {
  readonly conversationId: string;
  readonly abort: AbortController;
  prepared?: Prepared;
  reply?: ActiveReply;
}

interface Prepared extends Question {
  readonly title: string;
  readonly messageId: string;
  /** Of the model. */
  readonly sha256: string;
  readonly settings: LanguageSettings;
}

/** Writes replies, one at a time. */
export class ReplyRunner {
  private turn: Turn | undefined;
  private working: Promise<void> = Promise.resolve();

  constructor(private readonly parts: ReplyRunnerParts) {}

  /** The message that is being written. */
  get messageId(): string | undefined {
    return this.turn?.prepared?.messageId;
  }

  isRunning(conversationId: string): boolean {
    return this.turn?.conversationId === conversationId;
  }

  /** The reply that is being written in a conversation, as it has been told. */
  activeIn(conversationId: string): ActiveReply | undefined {
    return this.isRunning(conversationId) ? this.turn?.reply : undefined;
  }

  /**
   * Saves a question and begins to write the reply; events tell the rest.
   * @returns the conversation with both. @throws SluiceError `conflict` while another reply is written, `not-found`,
   * `corrupt-store`, `unsupported` for a model that can't reply, what `ask` throws, `io`; then nothing has changed.
   */
  async begin(conversationId: string, ask: Ask): Promise<StoredConversation> {
    if (this.turn) throw busy(this.turn);
    const turn: Turn = { conversationId, abort: new AbortController() };
    this.turn = turn;
    try {
      const stored = await this.parts.store.folder(conversationId).change((current) => {
        const prepared = this.prepare(current, ask);
        turn.prepared = prepared;
        const { partial: _before, ...rest } = current;
        return { ...rest, updatedAt: this.now(), messages: prepared.messages, process: processMark() };
      });
      this.working = this.write(turn, stored);
      this.parts.store.tell();
      return stored;
    } catch (thrown) {
      this.turn = undefined;
      throw thrown;
    }
  }

  /** Ends the reply of a conversation, if one is written, with the text there is. */
  stop(conversationId: string): void {
    if (this.isRunning(conversationId)) this.turn?.abort.abort();
  }

  /** Settings of a conversation change. @throws SluiceError what its source throws; they are then as they were. */
  configure(conversationId: string, settings: LanguageSettings): void {
    this.parts.loaded.sources.configure(conversationId, settings);
    if (this.turn?.prepared && this.isRunning(conversationId)) {
      this.turn.prepared = { ...this.turn.prepared, settings };
    }
  }

  /** Stops what is written and waits until it is saved. */
  async close(): Promise<void> {
    this.turn?.abort.abort();
    await this.working;
  }

  private prepare(current: StoredConversation, ask: Ask): Prepared {
    refuseElsewhere(current);
    const { sha256 } = this.parts.loaded.usable(current.model);
    const question = ask(current, sha256, this.now());
    const title = titleOf({ ...current, messages: question.messages });
    return { ...question, title, messageId: lastOf(question).id, sha256, settings: current.settings };
  }

  private async write(turn: Turn, stored: StoredConversation): Promise<void> {
    // Whoever asked gets the answer to that before the first event.
    await new Promise((resolve) => setImmediate(resolve));
    const { store, loaded, bus, clock, log } = this.parts;
    const { sha256, written } = turn.prepared!;
    const folder = store.folder(stored.id);
    const reply: ActiveReply = new ActiveReply({
      conversationId: stored.id,
      message: lastOf(stored),
      written,
      bus,
      clock,
      onTold: () => saver.soon(),
    });
    const saver = new ReplySaver({ folder, reply, sha256, clock, log });
    turn.reply = reply;
    const ending = await writeReply(
      { loaded, clock },
      {
        stored,
        folder: folder.path,
        written,
        reply,
        signal: turn.abort.signal,
        settings: () => turn.prepared!.settings,
      },
    );
    const message = await saver.end(ending);
    this.turn = undefined;
    bus.emit('message', { conversationId: stored.id, message });
    store.tell();
  }

  private now(): string {
    return isoTime(this.parts.clock.nowMs());
  }
}

function lastOf({ messages }: Pick<StoredConversation, 'messages'>): StoredConversation['messages'][number] {
  const last = messages.at(-1);
  if (last) return last;
  throw new SluiceError('internal', 'Expected a reply at the end of the conversation, found no message.');
}

function busy({ conversationId, prepared }: Turn): SluiceError {
  const where = prepared ? ` in "${prepared.title}"` : '';
  return new SluiceError(
    'conflict',
    `A reply is being written${where}; there can be one at a time. Wait for it, or stop it.`,
    { id: conversationId },
  );
}
