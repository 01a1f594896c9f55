import { z } from 'zod';

import type { CompletionPrompt, CompletionRequest } from '../../server/language-service';
import { messagesSchema } from './messages';
import { chatParameters, sharedParameters, textParameters } from './parameters';
import { parseBody } from './parse-body';

/** OpenAI's default of plain completions. */
const TEXT_MAX_TOKENS = 16;

/** A request of either kind, parsed. */
export interface ApiRequest extends CompletionRequest {
  readonly isStreamed: boolean;
  /** A stream ends with what it took. */
  readonly includesUsage: boolean;
}

const FOR_STREAMS = 'is for streams; send "stream": true too';

const ONE_PROMPT =
  'expected a text, an array of token numbers, or an array of one of these; for several prompts send several requests';
const isTokens = (value: unknown): value is number[] =>
  Array.isArray(value) &&
  value.length > 0 &&
  value.every((token) => Number.isSafeInteger(token) && token >= 0);
/** Checked as a whole: there may be a million tokens, and one fault is enough. */
const prompt = z.unknown().transform((value, context): CompletionPrompt => {
  const list: readonly unknown[] = Array.isArray(value) && value.length === 1 ? value : [value];
  const only = typeof list[0] === 'number' ? value : list[0];
  if (typeof only === 'string') return { kind: 'text', text: only };
  if (isTokens(only)) return { kind: 'tokens', tokens: only };
  context.issues.push({ code: 'custom', input: value, message: ONE_PROMPT });
  return z.NEVER;
});

const chatSchema = z.strictObject({ ...sharedParameters, ...chatParameters, messages: messagesSchema });
const textSchema = z.strictObject({ ...sharedParameters, ...textParameters, prompt });

type Shared = Pick<
  z.output<typeof textSchema>,
  'model' | 'temperature' | 'top_p' | 'min_p' | 'seed' | 'stop' | 'stream' | 'stream_options'
>;

const isStreamConsistent = ({ stream, stream_options }: Partial<Shared>): boolean =>
  stream === true || stream_options === undefined;
const isLimitConsistent = (chat: z.output<typeof chatSchema>): boolean => {
  const { max_tokens: old, max_completion_tokens: limit } = chat;
  return old === undefined || limit === undefined || old === limit;
};

const checkedChat = chatSchema
  .refine(isStreamConsistent, { path: ['stream_options'], error: FOR_STREAMS })
  .refine(isLimitConsistent, {
    path: ['max_tokens'],
    error: 'differs from max_completion_tokens, which takes its place; send one of them',
  });
const checkedText = textSchema.refine(isStreamConsistent, {
  path: ['stream_options'],
  error: FOR_STREAMS,
});

/** The body of `POST /v1/chat/completions`. @throws SluiceError as `parseBody`. */
export function parseChatRequest(body: Uint8Array): ApiRequest {
  const { messages, max_tokens, max_completion_tokens, ...rest } = parseBody(checkedChat, body);
  return toRequest(rest, { kind: 'conversation', messages }, max_completion_tokens ?? max_tokens);
}

/** The body of `POST /v1/completions`. @throws SluiceError as `parseBody`. */
export function parseTextRequest(body: Uint8Array): ApiRequest {
  const { prompt: continued, max_tokens = TEXT_MAX_TOKENS, ...rest } = parseBody(checkedText, body);
  return toRequest(rest, continued, max_tokens);
}

function toRequest(shared: Shared, continued: CompletionPrompt, maxTokens: number | undefined): ApiRequest {
  const { model, temperature, top_p: topP, min_p: minP, seed, stop, stream, stream_options } = shared;
  return {
    model,
    prompt: continued,
    temperature,
    topP,
    minP,
    stop,
    isStreamed: stream,
    includesUsage: stream_options?.include_usage ?? false,
    ...(seed !== undefined && { seed }),
    ...(maxTokens !== undefined && { maxTokens }),
  };
}
