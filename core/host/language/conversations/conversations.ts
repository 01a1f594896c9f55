import { randomUUID } from 'node:crypto';

import { DEFAULT_LANGUAGE_SETTINGS, SluiceError } from '../../../contract';
import type {
  Conversation,
  ConversationSummary,
  LanguageSettings,
  Message,
  RequestInput,
} from '../../../contract';
import { isoTime } from '../../host-clock';
import type { HostClock } from '../../host-clock';
import { summaryOf } from './conversation-store';
import type { ConversationStore } from './conversation-store';
import type { LoadedLanguageModel } from './loaded-language-model';
import { lastQuestion, newQuestion, refuseElsewhere, textMessage } from './questions';
import type { ReplyRunner } from './reply-runner';
import type { StoredConversation } from './stored-conversation';
import { compressionOf } from '../vericache-cache';

export interface ConversationsParts {
  readonly store: ConversationStore;
  readonly replies: ReplyRunner;
  readonly loaded: LoadedLanguageModel;
  readonly clock: HostClock;
}

/** Conversations as the requests see them. */
export class Conversations {
  constructor(private readonly parts: ConversationsParts) {}

  /** Newest first. @throws SluiceError `io`. */
  list(): Promise<readonly ConversationSummary[]> {
    return this.parts.store.list();
  }

  /**
   * @throws SluiceError `not-found` (model, compressor), `corrupt-store`, `unsupported` for the model; `bad-input` for a
   * draft model of another vocabulary; `io`.
   */
  async create({
    model,
    settings = DEFAULT_LANGUAGE_SETTINGS,
    system,
  }: RequestInput<'language.create'>): Promise<Conversation> {
    this.parts.loaded.usable(model);
    checkCompression(settings);
    await this.checkDraftModel(settings.draftModel, model);
    const at = isoTime(this.parts.clock.nowMs());
    const stored: StoredConversation = {
      format: 1,
      id: randomUUID(),
      model,
      tokens: 0,
      updatedAt: at,
      settings,
      messages: system === undefined ? [] : [textMessage('system', system, at)],
    };
    await this.parts.store.create(stored);
    return this.shown(stored, await this.parts.store.folder(stored.id).bytes());
  }

  /** A reply that is being written is in it as it has been told. @throws SluiceError `not-found`, `corrupt-store`, `io`. */
  async open(id: string): Promise<Conversation> {
    const folder = this.parts.store.folder(id);
    const bytes = await folder.bytes();
    return this.shown(await folder.read(), bytes);
  }

  /** @throws SluiceError as `open`. */
  async rename(id: string, title: string): Promise<ConversationSummary> {
    const folder = this.parts.store.folder(id);
    const stored = await folder.change((current) => ({ ...current, title }));
    this.parts.store.tell();
    return { ...summaryOf(stored), bytes: await folder.bytes() };
  }

  /** @throws SluiceError `not-found`; `conflict` while a reply is written in it; `io`. */
  async delete(id: string): Promise<void> {
    const { store, replies, loaded } = this.parts;
    if (replies.isRunning(id)) {
      throw new SluiceError('conflict', 'A reply is being written in this conversation. Stop it first.', {
        id,
      });
    }
    const stored = await store
      .folder(id)
      .read()
      .catch((thrown: unknown) => {
        // It can be deleted all the same.
        if (SluiceError.from(thrown).code !== 'corrupt-store') throw thrown;
      });
    if (stored) refuseElsewhere(stored);
    await loaded.sources.drop(id);
    await store.delete(id);
  }

  /**
   * They act on the reply that is written, if there is one. @throws SluiceError as `open`; `not-found` (compressor);
   * `bad-input` for a draft model of another vocabulary; `budget-too-small` when the caches in memory can't be made so; then nothing has changed.
   */
  async configure({ id, settings }: RequestInput<'language.configure'>): Promise<Conversation> {
    checkCompression(settings);
    const folder = this.parts.store.folder(id);
    const bytes = await folder.bytes();
    const before = await folder.read();
    if (settings.draftModel !== before.settings.draftModel) {
      await this.checkDraftModel(settings.draftModel, before.model);
    }
    const stored = await folder.change((current) => {
      this.parts.replies.configure(id, settings);
      return { ...current, settings };
    });
    return this.shown(stored, bytes);
  }

  /** @throws SluiceError as `ReplyRunner.begin`. */
  async send(id: string, text: string): Promise<{ readonly question: Message; readonly reply: Message }> {
    const { messages } = await this.parts.replies.begin(id, newQuestion(text));
    const [question, reply] = messages.slice(-2);
    if (question && reply) return { question, reply };
    throw new SluiceError('internal', 'Expected a question and its reply.');
  }

  /** @throws SluiceError as `ReplyRunner.begin`. */
  async retry(id: string): Promise<{ readonly reply: Message }> {
    const { messages } = await this.parts.replies.begin(id, lastQuestion);
    const reply = messages.at(-1);
    if (reply) return { reply };
    throw new SluiceError('internal', 'Expected a reply.');
  }

  /** Does nothing when no reply is written in it. @throws SluiceError as `open`; `conflict` for one of another process. */
  async stop(id: string): Promise<void> {
    const { replies, store } = this.parts;
    if (replies.isRunning(id)) replies.stop(id);
    else refuseElsewhere(await store.folder(id).read());
  }

  private async checkDraftModel(name: string, main: string): Promise<void> {
    if (name !== '') await this.parts.loaded.drafts.check(name, main);
  }

  /** Without waiting: events that come later go on from what is shown. */
  private shown(stored: StoredConversation, bytes: number): Conversation {
    const { replies, loaded } = this.parts;
    const active = replies.activeIn(stored.id);
    const told = active?.message();
    return {
      ...summaryOf(stored),
      bytes,
      settings: stored.settings,
      messages: stored.messages.map((message) => (told?.id === message.id ? told : message)),
      ...(active?.cache() ?? loaded.sources.cacheOf(stored.id)),
    };
  }
}

/** @throws SluiceError `not-found` for a compressor that is not registered. */
function checkCompression(settings: LanguageSettings): void {
  if (settings.mode !== 'full') compressionOf(settings);
}
