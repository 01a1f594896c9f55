import { SluiceError } from '../../../contract';
import type { LanguageSettings } from '../../../contract';
import { generateFrom } from '../../../llm';
import type { DecodedToken, LanguageModel } from '../../../llm';
import type { HostClock } from '../../host-clock';
import type { ActiveReply } from './active-reply';
import { promptTokens, replyLimit } from './conversation-prompt';
import type { LoadedLanguageModel } from './loaded-language-model';
import type { Ending } from './reply-saver';
import type { StoredConversation } from './stored-conversation';

export interface ReplyJob {
  /** Its last message is the reply. */
  readonly stored: StoredConversation;
  readonly folder: string;
  /** Tokens of the reply that are there already. */
  readonly written: readonly DecodedToken[];
  readonly reply: ActiveReply;
  readonly signal: AbortSignal;
  /** As they are now: they may change while the model is loaded. */
  readonly settings: () => LanguageSettings;
}

interface Machine {
  readonly loaded: LoadedLanguageModel;
  readonly clock: HostClock;
}

/** Loads the model and lets it reply. Whatever happens becomes an ending; never throws. */
export async function writeReply(machine: Machine, job: ReplyJob): Promise<Ending> {
  const { loaded } = machine;
  const { stored, reply, signal } = job;
  try {
    reply.loading(loaded.streamedWeights(stored.model));
    const model = await loaded.acquire(stored.model, signal);
    try {
      return await replyWith(model, machine, job);
    } finally {
      reply.ended();
      loaded.release();
    }
  } catch (thrown) {
    reply.ended();
    const error = SluiceError.from(thrown);
    if (signal.aborted && error.code === 'cancelled')
      return { state: 'cancelled', finishReason: 'cancelled' };
    return { state: 'failed', error: error.toWire() };
  }
}

async function replyWith(
  model: LanguageModel,
  { loaded, clock }: Machine,
  { stored, folder, written, reply, signal, settings }: ReplyJob,
): Promise<Ending> {
  const nowMs = (): number => clock.nowMs();
  const before = promptTokens(model, stored.messages.slice(0, -1));
  const text = [...before, ...written.map(({ token }) => token)];
  const maxTokens = replyLimit(model, text.length, written.length, settings().maxTokens);
  const source = await loaded.source(stored.id, {
    model,
    settings: settings(),
    conversationFolder: folder,
    maxTokens: text.length + maxTokens,
    onRound: (round) => reply.onRound(round),
    nowMs,
  });
  reply.loaded(model, source, text.length);
  try {
    const generation = await generateFrom(reply.measured(source), model, text, {
      maxTokens,
      signal,
      nowMs,
      onPiece: (piece) => reply.onPiece(piece),
      onPrefill: (done, total) => reply.onPrefill(done, total),
    });
    reply.generated(generation);
    const { finishReason, tokens } = generation;
    const state = finishReason === 'cancelled' ? 'cancelled' : 'done';
    return { state, finishReason, tokens: text.length + tokens.length };
  } catch (thrown) {
    reply.ended();
    // What it holds is anybody's guess.
    await loaded.sources.drop(stored.id);
    throw thrown;
  }
}
