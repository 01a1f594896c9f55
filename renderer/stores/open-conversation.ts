import type {
  CacheMap,
  CacheMemory,
  ConversationSummary,
  LanguageProgress,
  LanguageSettings,
  Message,
  ReplyPhase,
  WireError,
} from '../../core/contract';
import { appendPieces, EMPTY_TEXT, isSameText } from './reply-text';
import type { ReplyText } from './reply-text';

/** A message with its text laid out for appending. */
export interface ChatMessage extends Omit<Message, 'pieces'> {
  readonly text: ReplyText;
}

/** The conversation in view. */
export interface OpenConversation {
  readonly summary: ConversationSummary;
  readonly settings: LanguageSettings;
  readonly messages: readonly ChatMessage[];
  readonly memory?: CacheMemory | undefined;
  readonly map?: CacheMap | undefined;
}

/** What a reply under way is doing, and how fast its prompt is read. */
export interface RunningReply {
  readonly messageId: string;
  readonly phase: ReplyPhase;
  /** Of reading the prompt: tokens a second over the last seconds, and seconds to its end at that rate. */
  readonly tokensPerSec?: number;
  readonly etaSec?: number;
  readonly reports: readonly { readonly atMs: number; readonly doneTokens: number }[];
}

const RATE_WINDOW_MS = 4_000;
/** A rate over less is noise. */
const LEAST_SPAN_MS = 200;

export function asChatMessage({ pieces, ...message }: Message): ChatMessage {
  return { ...message, text: appendPieces(EMPTY_TEXT, pieces) };
}

export function addExchange(open: OpenConversation, question: Message, reply: Message): OpenConversation {
  return { ...open, messages: [...open.messages, asChatMessage(question), asChatMessage(reply)] };
}

/** With a reply in the place of the last one: asked again, or gone on with. */
export function withReply(open: OpenConversation, reply: Message): OpenConversation {
  const kept = open.messages.at(-1)?.role === 'assistant' ? open.messages.slice(0, -1) : open.messages;
  return { ...open, messages: [...kept, asChatMessage(reply)] };
}

/** With what came of one message; of a message it does not hold, nothing. */
export function withSettled(
  open: OpenConversation,
  messageId: string,
  came: { readonly progress: LanguageProgress } | { readonly message: Message },
): OpenConversation {
  const old = open.messages.find(({ id }) => id === messageId);
  if (old === undefined) return open;
  const isEnd = 'message' in came;
  const next = isEnd ? settled(old, came.message) : goneOn(old, came.progress);
  const messages = open.messages.map((message) => (message === old ? next : message));
  if (isEnd) return { ...open, messages };
  const { memory = open.memory, map = open.map } = came.progress;
  return { ...open, messages, memory, map };
}

function goneOn(old: ChatMessage, { pieces, rounds, stats }: LanguageProgress): ChatMessage {
  return {
    ...old,
    state: 'running',
    text: appendPieces(old.text, pieces),
    stats,
    rounds: rounds.length === 0 ? (old.rounds ?? []) : [...(old.rounds ?? []), ...rounds],
  };
}

/** The end as it is told; text that is drawn already stays the same object, so that nothing is drawn again. */
function settled(old: ChatMessage, message: Message): ChatMessage {
  const next = asChatMessage(message);
  return isSameText(next.text, old.text) ? { ...next, text: old.text } : next;
}

/** Replies under way end with an error; what they had said stays. */
export function failReplies(open: OpenConversation, error: WireError): OpenConversation {
  if (!open.messages.some(({ state }) => state === 'running')) return open;
  return {
    ...open,
    messages: open.messages.map((message) =>
      message.state === 'running' ? { ...message, state: 'failed', error } : message,
    ),
  };
}

/** The reply's phase, with the rate at which its prompt is read measured over the window. */
export function withProgress(
  previous: RunningReply | undefined,
  { messageId, phase }: LanguageProgress,
  nowMs: number,
): RunningReply {
  if (phase.kind !== 'prefill') return { messageId, phase, reports: [] };
  const isSame = previous?.messageId === messageId && previous.phase.kind === 'prefill';
  const kept = isSame ? previous.reports.filter(({ atMs }) => nowMs - atMs <= RATE_WINDOW_MS) : [];
  const reports = [...kept, { atMs: nowMs, doneTokens: phase.doneTokens }];
  const first = reports[0]!;
  const spanMs = nowMs - first.atMs;
  if (spanMs < LEAST_SPAN_MS || phase.doneTokens <= first.doneTokens) return { messageId, phase, reports };
  const tokensPerSec = ((phase.doneTokens - first.doneTokens) / spanMs) * 1000;
  const etaSec = Math.max(0, phase.totalTokens - phase.doneTokens) / tokensPerSec;
  return { messageId, phase, reports, tokensPerSec, etaSec };
}
