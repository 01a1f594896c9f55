import { engineClockMs } from '../../base';
import { SluiceError } from '../../contract';
import type { Decoder } from '../decoder/decoder';
import type { KvCache } from '../decoder/kv-cache';
import type { Tokenizer } from '../tokenizer/tokenizer';
import { ReplyText, type TextPiece } from './reply-text';
import { GREEDY, Sampler, type SamplingOptions } from './sampler';

/** Room is made in the cache for all of them, so no limit would mean the whole context. */
const DEFAULT_MAX_TOKENS = 512;

export interface GenerateOptions {
  /** Default 512, or what the context leaves. */
  readonly maxTokens?: number;
  /** Default greedy. */
  readonly sampling?: SamplingOptions;
  /** The reply ends before the first of them. */
  readonly stop?: readonly string[];
  /** Ends the reply after the token or prompt pass at work; what there is by then is kept. */
  readonly signal?: AbortSignal;
  /** Text as it comes; the next token waits until it returns. */
  readonly onPiece?: (piece: TextPiece) => void | Promise<void>;
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
  readonly prefillMs: number;
  /** From the end of the prompt to the end of the reply. */
  readonly decodeMs: number;
  /** Of the prompt. */
  readonly prefillTokensPerSec: number;
  /** Passes of one token over `decodeMs`; 0 when there was none. */
  readonly tokensPerSec: number;
}

/**
 * Continues a prompt token by token over a full cache in memory.
 * @throws SluiceError `bad-input` (nothing to continue, more tokens than the context, sampling options) before any
 * work, `budget-too-small` when the operating system refuses the cache, `runtime`. Cancelled, it returns what there is.
 */
export async function generate(
  { decoder, tokenizer }: { readonly decoder: Decoder; readonly tokenizer: Tokenizer },
  prompt: readonly number[],
  options: GenerateOptions = {},
): Promise<Generation> {
  const maxTokens = tokenLimit(prompt.length, decoder.config.contextLength, options.maxTokens);
  const sampler = new Sampler(options.sampling ?? GREEDY);
  const cache = decoder.createCache(prompt.length + maxTokens);
  try {
    return await new GenerationRun(decoder, tokenizer, cache, sampler, options).run(prompt, maxTokens);
  } finally {
    cache.release();
  }
}

/** @returns how many tokens may be generated. */
function tokenLimit(promptTokens: number, contextLength: number, wanted: number | undefined): number {
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
    private readonly decoder: Decoder,
    private readonly tokenizer: Tokenizer,
    private readonly cache: KvCache,
    private readonly sampler: Sampler,
    private readonly options: GenerateOptions,
  ) {
    this.nowMs = options.nowMs ?? engineClockMs;
    this.reply = new ReplyText(tokenizer, options.stop ?? []);
  }

  async run(prompt: readonly number[], maxTokens: number): Promise<Generation> {
    const startMs = this.nowMs();
    const logits = await this.prefill(prompt);
    const prefilledMs = this.nowMs();
    const prefilled = this.cache.position;
    const finishReason = logits ? await this.decode(logits, maxTokens) : 'cancelled';
    await this.give(this.reply.end());
    const prefillMs = prefilledMs - startMs;
    const decodeMs = this.nowMs() - prefilledMs;
    return {
      text: this.reply.text,
      tokens: this.tokens,
      finishReason,
      promptTokens: prompt.length,
      prefillMs,
      decodeMs,
      prefillTokensPerSec: perSecond(prefilled, prefillMs),
      tokensPerSec: perSecond(this.cache.position - prefilled, decodeMs),
    };
  }

  /** @returns logits of the last token; undefined when cancelled. */
  private async prefill(prompt: readonly number[]): Promise<Float32Array | undefined> {
    let logits: Float32Array | undefined;
    for (let at = 0; at < prompt.length; at += this.decoder.maxTokens) {
      if (await this.isCancelled()) return undefined;
      const part = prompt.slice(at, at + this.decoder.maxTokens);
      const isLast = at + part.length === prompt.length;
      logits = await this.decoder.forward(part, this.cache, isLast ? 1 : 0);
    }
    return logits;
  }

  private async decode(first: Float32Array, maxTokens: number): Promise<FinishReason> {
    let logits = first;
    for (;;) {
      if (await this.isCancelled()) return 'cancelled';
      const token = this.sampler.pick(logits);
      this.tokens.push(token);
      if (this.tokenizer.endTokens.has(token)) return 'end';
      await this.give(this.reply.push(token));
      if (this.reply.stopped) return 'stop';
      if (this.tokens.length === maxTokens) return 'length';
      logits = await this.decoder.forward([token], this.cache, 1);
    }
  }

  /** Lets the process do other work, a cancellation too: passes run on the calling thread. */
  private async isCancelled(): Promise<boolean> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.options.signal?.aborted === true;
  }

  private async give(piece: TextPiece | undefined): Promise<void> {
    if (piece) await this.options.onPiece?.(piece);
  }
}

function perSecond(count: number, ms: number): number {
  return ms > 0 ? (count * 1000) / ms : 0;
}
