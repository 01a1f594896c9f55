import type { Completion, ServedLanguageModel } from '../../server/language-service';

/** What every object of one answer begins with. */
export interface AnswerHead {
  readonly id: string;
  /** Seconds since the epoch. */
  readonly created: number;
  readonly model: ServedLanguageModel;
  /** A stream ends with what it took; OpenAI's chunks before say null then. */
  readonly includesUsage: boolean;
}

/** A reply and how long it waited for its turn. */
export interface Answered {
  readonly completion: Completion;
  readonly queueMs: number;
}

/** How one of the two kinds of completion is written down. */
export interface AnswerFormat {
  readonly idPrefix: string;
  /** The whole answer. */
  whole(head: AnswerHead, answered: Answered): object;
  /** Chunks of a stream: before the text, a piece of it, after it. */
  first(head: AnswerHead): readonly object[];
  piece(head: AnswerHead, text: string): object;
  last(head: AnswerHead, answered: Answered): object;
  /** After that, where it was asked for. */
  usage(head: AnswerHead, answered: Answered): object;
}

const FINISH_REASONS = { end: 'stop', stop: 'stop', length: 'length' } as const;
type FinishReason = 'stop' | 'length' | null;

function finishReasonOf({ finishReason }: Completion): FinishReason {
  return finishReason === 'cancelled' ? null : FINISH_REASONS[finishReason];
}

function usageOf({ promptTokens, completionTokens }: Completion): object {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  };
}

/** Not OpenAI's; the names are those of llama.cpp's server, and `queue_ms`. */
function timingsOf({ completion, queueMs }: Answered): object {
  return {
    queue_ms: queueMs,
    prompt_n: completion.promptTokens,
    prompt_ms: completion.prefillMs,
    prompt_per_second: completion.prefillTokensPerSec,
    predicted_n: completion.completionTokens,
    predicted_ms: completion.decodeMs,
    predicted_per_second: completion.tokensPerSec,
  };
}

function headOf({ id, created, model }: AnswerHead, object: string): object {
  return { id, object, created, model: model.name, system_fingerprint: model.fingerprint };
}

/** `content` of one choice, as the format has it. */
type Choice = (content: object, finishReason: FinishReason) => object;

const choice: Choice = (content, finishReason) => ({
  index: 0,
  ...content,
  logprobs: null,
  finish_reason: finishReason,
});

function formatOf(names: {
  readonly idPrefix: string;
  readonly whole: string;
  readonly chunk: string;
  readonly first: readonly object[];
  readonly wholeContent: (text: string) => object;
  readonly pieceContent: (text: string) => object;
  readonly lastContent: object;
}): AnswerFormat {
  const chunk = (head: AnswerHead, content: object, finishReason: FinishReason = null): object => ({
    ...headOf(head, names.chunk),
    choices: [choice(content, finishReason)],
    ...(head.includesUsage && { usage: null }),
  });
  return {
    idPrefix: names.idPrefix,
    whole: (head, answered) => ({
      ...headOf(head, names.whole),
      choices: [choice(names.wholeContent(answered.completion.text), finishReasonOf(answered.completion))],
      usage: usageOf(answered.completion),
      timings: timingsOf(answered),
    }),
    first: (head) => names.first.map((content) => chunk(head, content)),
    piece: (head, text) => chunk(head, names.pieceContent(text)),
    last: (head, answered) => ({
      ...chunk(head, names.lastContent, finishReasonOf(answered.completion)),
      timings: timingsOf(answered),
    }),
    usage: (head, { completion }) => ({
      ...headOf(head, names.chunk),
      choices: [],
      usage: usageOf(completion),
    }),
  };
}

export const CHAT_FORMAT = formatOf({
  idPrefix: 'chatcmpl-',
  whole: 'chat.completion',
  chunk: 'chat.completion.chunk',
  first: [{ delta: { role: 'assistant', content: '' } }],
  wholeContent: (content) => ({ message: { role: 'assistant', content, refusal: null } }),
  pieceContent: (content) => ({ delta: { content } }),
  lastContent: { delta: {} },
});

export const TEXT_FORMAT = formatOf({
  idPrefix: 'cmpl-',
  whole: 'text_completion',
  chunk: 'text_completion',
  first: [],
  wholeContent: (text) => ({ text }),
  pieceContent: (text) => ({ text }),
  lastContent: { text: '' },
});

/** An entry of `/v1/models`. `context_length` is not OpenAI's. */
export function modelEntry({ name, createdMs, contextLength }: ServedLanguageModel): object {
  return {
    id: name,
    object: 'model',
    created: Math.floor(createdMs / 1000),
    owned_by: 'sluice',
    context_length: contextLength,
  };
}
