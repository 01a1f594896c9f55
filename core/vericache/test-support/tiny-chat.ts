import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { SluiceError } from '../../contract';
import {
  openLanguageModel,
  PlainSource,
  Sampler,
  type LanguageModel,
  type SamplingOptions,
  type TokenSource,
} from '../../llm';
import { tinyChatModel, type TinyChatModelOptions } from '../../llm/test-support/tiny-chat-model';
import { OrtEnvironment } from '../../ort';
import { planCaches } from '../cache-set';
import type { CacheSettings, VericacheOptions } from '../vericache-options';
import { MemoryFullCache } from './memory-full-cache';
import { windowCompressor } from './window-compressor';

export const GREEDY_SAMPLING: SamplingOptions = { temperature: 0, seed: 0 };
export const WARM: SamplingOptions = { temperature: 1, topP: 0.9, seed: 11 };

/** The tiny chat model, and text decoded plainly to compare with. */
export class TinyChat {
  private readonly others: LanguageModel[] = [];

  private constructor(
    private readonly folder: string,
    readonly environment: OrtEnvironment,
    readonly model: LanguageModel,
  ) {}

  static async open(): Promise<TinyChat> {
    const folder = mkdtempSync(path.join(tmpdir(), 'sluice-vericache-'));
    const file = path.join(folder, 'tiny.gguf');
    writeFileSync(file, tinyChatModel({ contextLength: 2048 }));
    const environment = OrtEnvironment.open({ threads: 2 });
    return new TinyChat(folder, environment, await openLanguageModel(file, environment));
  }

  /** Another model; closed with this one. */
  async other(options: TinyChatModelOptions): Promise<LanguageModel> {
    const file = path.join(this.folder, `other-${this.others.length}.gguf`);
    writeFileSync(file, tinyChatModel(options));
    const model = await openLanguageModel(file, this.environment);
    this.others.push(model);
    return model;
  }

  close(): void {
    for (const model of this.others) model.close();
    this.model.close();
    this.environment.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  fullCache(): MemoryFullCache {
    return new MemoryFullCache(this.model.decoder.config.kvHeads);
  }

  /** Tokens that look like nothing in particular. */
  text(length: number, seed = 7919): number[] {
    const { vocabularySize } = this.model.decoder.config;
    return Array.from(
      { length },
      (_, index) => (index * seed + 13 * ((index * index) % 11)) % vocabularySize,
    );
  }

  /** With as little memory as can be, so that every layer streams. */
  options(fullCache: MemoryFullCache, change: Partial<VericacheOptions> = {}): VericacheOptions {
    const options = this.roomyOptions(fullCache, change);
    return change.budgetBytes === undefined
      ? { ...options, budgetBytes: this.leastBudget(options) }
      : options;
  }

  leastBudget(settings: CacheSettings): number {
    try {
      planCaches(this.model.decoder, { ...settings, budgetBytes: 1 });
    } catch (error) {
      return (error as SluiceError).details.minimumBytes as number;
    }
    throw new Error('a budget of one byte was taken');
  }

  private roomyOptions(fullCache: MemoryFullCache, change: Partial<VericacheOptions>): VericacheOptions {
    return {
      environment: this.environment,
      decoder: this.model.decoder,
      fullCache,
      storedText: fullCache.text,
      compression: { compressor: windowCompressor(64), ratio: 4, verify: true },
      budgetBytes: 0,
      maxTokens: 1200,
      draftLength: 5,
      proposers: [],
      ...change,
    };
  }

  /** What plain decoding over a full cache in memory gives. */
  async plainly(
    prompt: readonly number[],
    count: number,
    sampling: SamplingOptions = GREEDY_SAMPLING,
  ): Promise<number[]> {
    const cache = this.model.decoder.createCache(prompt.length + count);
    const source = new PlainSource(this.model.decoder, cache, new Sampler(sampling));
    await source.prefill(prompt);
    const tokens = await collect(source, count);
    cache.release();
    return tokens;
  }
}

/** The next `count` tokens of a source. */
export async function collect(source: TokenSource, count: number): Promise<number[]> {
  const tokens: number[] = [];
  while (tokens.length < count) {
    const decoded = await source.next(count - tokens.length);
    if (decoded.length > count - tokens.length) throw new Error(`${decoded.length} tokens beyond the limit`);
    tokens.push(...decoded.map(({ token }) => token));
  }
  return tokens;
}
