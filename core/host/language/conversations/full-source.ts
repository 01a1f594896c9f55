import type { CacheMap, CacheMemory, LanguageSettings } from '../../../contract';
import { PlainSource, Sampler } from '../../../llm';
import type { DecodedToken, KvCache, LanguageModel, PrefillOptions } from '../../../llm';
import type { ConversationSource } from './conversation-source';
import { withStreamedWeights } from './streamed-weights';

/** One token a pass over the full cache in memory, which stays for the next reply. */
export class FullSource implements ConversationSource {
  private readonly cache: KvCache;
  private readonly layers: number;
  private readonly source: PlainSource;
  private sampler: Sampler;

  /** @throws SluiceError `budget-too-small` when the operating system refuses the cache, `bad-input` for the sampling. */
  constructor(
    private readonly model: LanguageModel,
    settings: LanguageSettings,
    maxTokens: number,
  ) {
    const { decoder } = model;
    this.sampler = new Sampler(settings);
    this.cache = decoder.createCache(maxTokens);
    this.layers = decoder.config.layers;
    this.source = new PlainSource(decoder, this.cache, {
      pick: (logits, index) => this.sampler.pick(logits, index),
    });
  }

  prefill(prompt: readonly number[], options?: PrefillOptions): Promise<number> {
    return this.source.prefill(prompt, options);
  }

  next(): Promise<readonly DecodedToken[]> {
    return this.source.next();
  }

  configure(settings: LanguageSettings): boolean {
    if (settings.mode !== 'full') return false;
    this.sampler = new Sampler(settings);
    return true;
  }

  grow(maxTokens: number): void {
    this.cache.grow(maxTokens);
  }

  memory(): CacheMemory {
    const residentBytes = this.cache.byteLength;
    return withStreamedWeights(
      { budgetBytes: residentBytes, compressedBytes: 0, residentBytes, streamBytes: 0, storedBytes: 0 },
      this.model,
    );
  }

  map(): CacheMap {
    const tokens = this.cache.position;
    const everyLayer = (count: number): number[] => new Array<number>(this.layers).fill(count);
    return { tokens, kept: everyLayer(0), inMemory: everyLayer(tokens), onDisk: everyLayer(0) };
  }

  close(): Promise<void> {
    this.cache.release();
    return Promise.resolve();
  }
}
