import type { TokenOrigin } from '../../contract';
import type { Decoder } from '../decoder/decoder';
import type { AttentionCache } from '../decoder/kv-cache';
import type { Sampler } from './sampler';
import { commonPrefix, type DecodedToken, type PrefillOptions, type TokenSource } from './token-source';

/** Tokens of one pass over a prompt: a layer's weights and cache are gone through once for all of them. */
const PART_TOKENS = 2048;

/** A cache that plain decoding may cut back. */
export interface PlainCache extends AttentionCache {
  truncate(position: number): void;
}

/** One token a pass, over one cache. */
export class PlainSource implements TokenSource {
  /** The tokens in the cache. */
  private readonly text: number[] = [];
  private logits: Float32Array | undefined;
  /** Given out and not yet in the cache. */
  private pending: number | undefined;

  /** @param origin what its tokens are called. The cache and the decoder stay their owners'. */
  constructor(
    private readonly decoder: Decoder,
    private readonly cache: PlainCache,
    private readonly sampler: Pick<Sampler, 'pick'>,
    private readonly origin: TokenOrigin = 'full',
  ) {}

  async prefill(prompt: readonly number[], options: PrefillOptions = {}): Promise<number> {
    // The last token goes through again for its logits.
    const reused = Math.min(commonPrefix(this.text, prompt), prompt.length - 1);
    this.text.length = reused;
    this.cache.truncate(reused);
    this.pending = undefined;
    for (let at = reused; at < prompt.length; at += PART_TOKENS) {
      const part = prompt.slice(at, at + PART_TOKENS);
      const isLast = at + part.length === prompt.length;
      this.logits = await this.decoder.forward(part, this.cache, isLast ? 1 : 0, options.signal);
      this.text.push(...part);
      options.onProgress?.(this.text.length);
    }
    return reused;
  }

  async next(): Promise<readonly DecodedToken[]> {
    if (this.pending !== undefined) {
      this.logits = await this.decoder.forward([this.pending], this.cache, 1);
      this.text.push(this.pending);
    }
    const token = this.sampler.pick(this.logits!, this.text.length);
    this.pending = token;
    return [{ token, origin: this.origin }];
  }
}
