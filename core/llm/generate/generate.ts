import { engineClockMs } from '../../base';
import { SluiceError } from '../../contract';
import type { Decoder } from '../decoder/decoder';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { ReplyText, type ReplyPiece } from './reply-text';
import { PlainSource } from './plain-source';
import { GREEDY, Sampler, type SamplingOptions } from './sampler';
import type { DecodedToken, TokenSource } from './token-source';

/** Room is made in the cache for all of them, so no limit would mean the whole context. */
const DEFAULT_MAX_TOKENS = 512;

export interface GenerateOptions {
  /** Default 512, or what the context leaves. */
  readonly maxTokens?: number;
  /** The reply ends before the first of them. */
  readonly stop?: readonly string[];
  /** Ends the reply after the token or prompt pass at work; what there is by then is kept. */
  readonly signal?: AbortSignal;
  /** Text as it comes; the next token waits until it returns. */
  readonly onPiece?: (piece: ReplyPiece) => void | Promise<void>;
  /** Tokens of the prompt in the cache so far. */
  readonly onPrefill?: (doneTokens: number, totalTokens: number) => void;
  readonly nowMs?: () => number;
}

/** `end`: the model ended its reply. `stop`: at a stop string. `length`: at `maxTokens`. */
export type FinishReason = 'end' | 'stop' | 'length' | 'cancelled';

export interface Generation {
  readonly text: string;
  /** All that were generated: with an end token or those of a stop string, which the text leaves out. */
  readonly tokens: readonly number[];
  readonly finishReason: FinishReason;
  readonly promptTokens: number;
  /** Of the prompt, those that were in the cache already. */
  readonly reusedTokens: number;
  readonly prefillMs: number;
  /** From the end of the prompt to the end of the reply. */
  readonly decodeMs: number;
  /** Of the prompt. */
  readonly prefillTokensPerSec: number;
  /** Tokens behind the first, which came with the prompt's own pass, over `decodeMs`. */
  readonly tokensPerSec: number;
}

interface Reader {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
}

/**
 * Continues a prompt token by token over a full cache in memory.
 * @throws SluiceError `bad-input` (nothing to continue, more tokens than the context, sampling options) before any
 * work, `budget-too-small` when the operating system refuses the cache, `runtime`. Cancelled, it returns what there is.
 */
export async function generate(
  { decoder, tokenizer }: Reader,
  prompt: readonly number[],
  options: GenerateOptions & { readonly sampling?: SamplingOptions } = {},
): Promise<Generation> {
  const maxTokens = tokenLimit(prompt.length, decoder.config.contextLength, options.maxTokens);
  const sampler = new Sampler(options.sampling ?? GREEDY);
  const cache = decoder.createCache(prompt.length + maxTokens);
  try {
    const source = new PlainSource(decoder, cache, sampler);
    return await new GenerationRun(source, tokenizer, options).run(prompt, maxTokens);
  } finally {
    cache.release();
  }
}

/**
 * Continues a prompt with the tokens of a source, which goes on to hold the text for a later call.
 * @throws as `generate`, and what the source throws.
 */
export async function generateFrom(
  source: TokenSource,
  { decoder, tokenizer }: Reader,
  prompt: readonly number[],
  options: GenerateOptions = {},
): Promise<Generation> {
  const maxTokens = tokenLimit(prompt.length, decoder.config.contextLength, options.maxTokens);
  return new GenerationRun(source, tokenizer, options).run(prompt, maxTokens);
}

/** @returns how many tokens may be generated. @throws SluiceError `bad-input` (nothing to continue, no room, none wanted). */
export function tokenLimit(promptTokens: number, contextLength: number, wanted: number | undefined): number {
  if (promptTokens === 0) {
    throw new SluiceError('bad-input', 'The prompt has no tokens. Give some text to continue.');
  }
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= 1)) {
    throw new SluiceError('bad-input', `Most tokens: expected a whole number from 1, found ${wanted}.`);
  }
  const room = contextLength - promptTokens;
  if (room >= (wanted ?? 1)) return wanted ?? Math.min(room, DEFAULT_MAX_TOKENS);
  throw new SluiceError(
    'bad-input',
    `The prompt has ${promptTokens} tokens and ${wanted ?? 1} to generate; the model's context is ${contextLength}. ` +
      (room < 1
        ? `Shorten the prompt to ${contextLength - 1} tokens or less.`
        : `Ask for ${room} tokens or less, or shorten the prompt.`),
    { promptTokens, contextLength, maxTokens: wanted ?? 1 },
  );
}

class GenerationRun {
  private readonly tokens: number[] = [];
  private readonly reply: ReplyText;
  private readonly nowMs: () => number;

  constructor(
    private readonly source: TokenSource,
    private readonly tokenizer: Tokenizer,
    private readonly options: GenerateOptions,
  ) {
    this.nowMs = options.nowMs ?? engineClockMs;
    this.reply = new ReplyText(tokenizer, options.stop ?? []);
  }

  async run(prompt: readonly number[], maxTokens: number): Promise<Generation> {
    const startMs = this.nowMs();
    const reusedTokens = await this.prefill(prompt);
    const prefilledMs = this.nowMs();
    const finishReason = reusedTokens === undefined ? 'cancelled' : await this.decode(maxTokens);
    await this.give(this.reply.end());
    const prefillMs = prefilledMs - startMs;
    const decodeMs = this.nowMs() - prefilledMs;
    const reused = reusedTokens ?? 0;
    return {
      text: this.reply.text,
      tokens: this.tokens,
      finishReason,
      promptTokens: prompt.length,
      reusedTokens: reused,
      prefillMs,
      decodeMs,
      prefillTokensPerSec: reusedTokens === undefined ? 0 : perSecond(prompt.length - reused, prefillMs),
      tokensPerSec: perSecond(Math.max(0, this.tokens.length - 1), decodeMs),
    };
  }

  /** @returns tokens reused; undefined when cancelled. */
  private async prefill(prompt: readonly number[]): Promise<number | undefined> {
    const { signal, onPrefill } = this.options;
    try {
      return await this.source.prefill(prompt, {
        ...(signal && { signal }),
        ...(onPrefill && { onProgress: (done: number) => onPrefill(done, prompt.length) }),
      });
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'cancelled') return undefined;
      throw error;
    }
  }

  private async decode(maxTokens: number): Promise<FinishReason> {
    for (;;) {
      if (await this.isCancelled()) return 'cancelled';
      const decoded = await this.next(maxTokens - this.tokens.length);
      if (!decoded) return 'cancelled';
      for (const token of decoded) {
        this.tokens.push(token.token);
        if (this.tokenizer.endTokens.has(token.token)) return 'end';
        await this.give(this.reply.push(token));
        if (this.reply.stopped) return 'stop';
        if (this.tokens.length === maxTokens) return 'length';
      }
    }
  }

  private async next(limit: number): Promise<readonly DecodedToken[] | undefined> {
    try {
      return await this.source.next(limit, this.options.signal);
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'cancelled') return undefined;
      throw error;
    }
  }

  /** Lets the process do other work, a cancellation too: passes run on the calling thread. */
  private async isCancelled(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.options.signal?.aborted === true;
  }

  private async give(piece: ReplyPiece | undefined): Promise<void> {
    if (piece) await this.options.onPiece?.(piece);
  }
}

function perSecond(count: number, ms: number): number {
  return ms > 0 ? (count * 1000) / ms : 0;
}
