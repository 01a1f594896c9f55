import { SluiceError } from '../contract';
import {
  commonPrefix,
  GREEDY,
  requireSameVocabulary,
  Sampler,
  vocabularyOf,
  type KvCache,
  type LanguageModel,
} from '../llm';
import type { Proposer } from './vericache-options';

/** Tokens of one pass over a text. */
const PART_TOKENS = 2048;

export interface DraftModelOptions {
  /** Stays its owner's, who closes it after the proposer. */
  readonly model: LanguageModel;
  /** The model that is drafted for. */
  readonly main: LanguageModel;
}

/**
 * Lets a small model propose what it finds likeliest (speculative decoding, Leviathan et al. 2023, arXiv 2211.17192).
 * @throws SluiceError `bad-input` when its vocabulary is not the main model's.
 */
export function draftModel({ model, main }: DraftModelOptions): DraftModel {
  requireSameVocabulary(vocabularyOf(main), vocabularyOf(model));
  return new DraftModel(model);
}

/** Follows a text with a cache of its own, in memory; a text beyond the model's context gets no proposals. */
export class DraftModel implements Proposer {
  readonly name = 'draft-model';
  private readonly sampler = new Sampler(GREEDY);
  private cache: KvCache | undefined;
  /** The tokens in the cache. */
  private readonly text: number[] = [];

  constructor(private readonly model: LanguageModel) {}

  /** Its weights as their file has them, and its cache as allocated. */
  get memoryBytes(): number {
    return this.model.weightBytes + (this.cache?.byteLength ?? 0);
  }

  /** @throws SluiceError `cancelled`, `budget-too-small` when the operating system refuses the cache, `runtime`. */
  async prepare(text: readonly number[], signal?: AbortSignal): Promise<void> {
    if (text.length > this.contextLength) return;
    const cache = this.cacheFor(text.length);
    await this.take(text.slice(this.keepPrefix(cache, text, text.length)), cache, signal);
  }

  /** @throws SluiceError as `prepare`; what was proposed until then is lost, and the cache holds what it took in. */
  async propose(text: readonly number[], limit: number, signal?: AbortSignal): Promise<readonly number[]> {
    // The last proposed token is in no cache.
    const count = Math.min(limit, this.contextLength + 1 - text.length);
    if (count < 1) return [];
    const { endTokens } = this.model.tokenizer;
    const cache = this.cacheFor(text.length + count - 1);
    // The last token goes through again for its logits.
    let next = text.slice(this.keepPrefix(cache, text, text.length - 1));
    const proposed: number[] = [];
    for (;;) {
      const token = this.sampler.pick(await this.take(next, cache, signal), text.length);
      proposed.push(token);
      if (proposed.length === count || endTokens.has(token)) return proposed;
      next = [token];
    }
  }

  /** Frees its cache. Nothing may be at work. */
  close(): void {
    this.cache?.release();
    this.cache = undefined;
    this.text.length = 0;
  }

  private get contextLength(): number {
    return this.model.decoder.config.contextLength;
  }

  /** Texts grow: twice the room each time, so that little is copied. */
  private cacheFor(tokens: number): KvCache {
    const { cache, contextLength } = this;
    if (!cache) return (this.cache = this.model.decoder.createCache(tokens));
    if (tokens > cache.capacity) cache.grow(Math.min(contextLength, Math.max(tokens, 2 * cache.capacity)));
    return cache;
  }

  /** Forgets what another text had. @returns how many tokens of this one, at most `most`, are there. */
  private keepPrefix(cache: KvCache, text: readonly number[], most: number): number {
    const kept = Math.min(commonPrefix(this.text, text), most);
    cache.truncate(kept);
    this.text.length = kept;
    return kept;
  }

  /** @returns logits of the last token, valid until the next pass. */
  private async take(
    tokens: readonly number[],
    cache: KvCache,
    signal: AbortSignal | undefined,
  ): Promise<Float32Array> {
    let logits = new Float32Array() as Float32Array;
    for (let at = 0; at < tokens.length; at += PART_TOKENS) {
      // Passes run on the calling thread: a cancellation needs a turn to arrive.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) throw new SluiceError('cancelled', 'The draft was cancelled.');
      const part = tokens.slice(at, at + PART_TOKENS);
      const isLast = at + part.length === tokens.length;
      logits = await this.model.decoder.forward(part, cache, isLast ? 1 : 0, signal);
      this.text.push(...part);
    }
    return logits;
  }
}
