import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RoundRecord } from '../contract';
import {
  openLanguageModel,
  PlainSource,
  Sampler,
  type LanguageModel,
  type SamplingOptions,
  type TokenSource,
} from '../llm';
import { tinyChatModel } from '../llm/test-support/tiny-chat-model';
import { OrtEnvironment } from '../ort';
import { promptLookup } from './prompt-lookup';
import { MemoryFullCache } from './test-support/memory-full-cache';
import { windowCompressor } from './test-support/window-compressor';
import type { VericacheOptions } from './vericache-options';
import { VericacheSource } from './vericache-source';

let folder: string;
let environment: OrtEnvironment;
let model: LanguageModel;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-vericache-'));
  environment = OrtEnvironment.open({ threads: 2 });
  const file = path.join(folder, 'tiny.gguf');
  writeFileSync(file, tinyChatModel({ contextLength: 2048 }));
  model = await openLanguageModel(file, environment);
});
afterAll(() => {
  model.close();
  environment.close();
  rmSync(folder, { recursive: true, force: true });
});

const MAX_TOKENS = 1200;

function textOf(length: number, seed = 7919): number[] {
  const { vocabularySize } = model.decoder.config;
  return Array.from({ length }, (_, index) => (index * seed + 13 * ((index * index) % 11)) % vocabularySize);
}

type Change = Partial<VericacheOptions>;

function optionsFor(fullCache: MemoryFullCache, change: Change): VericacheOptions {
  return {
    environment,
    decoder: model.decoder,
    fullCache,
    storedText: fullCache.text,
    compression: { compressor: windowCompressor(64), ratio: 4, verify: true },
    budgetBytes: 0,
    maxTokens: MAX_TOKENS,
    draftLength: 5,
    proposers: [],
    ...change,
  };
}

async function collect(source: TokenSource, count: number): Promise<number[]> {
  const tokens: number[] = [];
  while (tokens.length < count) {
    const decoded = await source.next(count - tokens.length);
    expect(decoded.length).toBeLessThanOrEqual(count - tokens.length);
    tokens.push(...decoded.map(({ token }) => token));
  }
  return tokens;
}

/** What plain decoding over a full cache in memory gives. */
async function plainly(
  prompt: readonly number[],
  count: number,
  sampling: SamplingOptions,
): Promise<number[]> {
  const cache = model.decoder.createCache(prompt.length + count);
  const source = new PlainSource(model.decoder, cache, new Sampler(sampling));
  await source.prefill(prompt);
  const tokens = await collect(source, count);
  cache.release();
  return tokens;
}

async function verified(
  prompt: readonly number[],
  count: number,
  change: Change = {},
): Promise<{ tokens: number[]; rounds: RoundRecord[]; fullCache: MemoryFullCache }> {
  const fullCache = new MemoryFullCache(model.decoder.config.kvHeads);
  const rounds: RoundRecord[] = [];
  const onRound = (round: RoundRecord): void => void rounds.push(round);
  const source = VericacheSource.open(optionsFor(fullCache, { onRound, ...change }));
  await source.prefill(prompt);
  const tokens = await collect(source, count);
  await source.close();
  return { tokens, rounds, fullCache };
}

const GREEDY_SAMPLING: SamplingOptions = { temperature: 0, seed: 0 };
const WARM: SamplingOptions = { temperature: 1, topP: 0.9, seed: 11 };

describe('the text', () => {
  const anySampling = fc.constantFrom(GREEDY_SAMPLING, WARM, { temperature: 2, seed: 5 });
  const anyChange = fc.record({
    keep: fc.constantFrom(1, 64, 1000),
    observes: fc.constantFrom('nothing', 'window', 'all' as const),
    draftLength: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 63 })),
    lookup: fc.boolean(),
    slots: fc.constantFrom(0, 2, 3),
  });

  it('is that of plain decoding with the same seed, however it is drafted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 150 }),
        anySampling,
        anyChange,
        async (length, count, sampling, { keep, observes, draftLength, lookup }) => {
          const prompt = textOf(length);
          const { tokens } = await verified(prompt, count, {
            sampling,
            draftLength,
            proposers: lookup ? [promptLookup()] : [],
            compression: { compressor: windowCompressor(keep, observes), ratio: 4, verify: true },
          });
          expect(tokens).toEqual(await plainly(prompt, count, sampling));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is the same over long replies, in which blocks go out and the cache is compressed again', async () => {
    const prompt = textOf(300);
    const compressor = windowCompressor(32);
    const { tokens, rounds, fullCache } = await verified(prompt, 800, {
      sampling: WARM,
      draftLength: 20,
      compression: { compressor, ratio: 4, verify: true },
    });
    expect(tokens).toEqual(await plainly(prompt, 800, WARM));
    expect(fullCache.blocks).toBeGreaterThanOrEqual(7);
    expect(fullCache.text).toEqual([...prompt, ...tokens].slice(0, fullCache.text.length));
    expect(new Set(compressor.seen.map(({ tokens: at }) => at)).size).toBeGreaterThan(2);
    expect(rounds.reduce((sum, { accepted }) => sum + accepted + 1, 0)).toBe(799);
  });

  it('is that of plain decoding when every step reads the full cache', async () => {
    const prompt = textOf(400);
    const { compression: _compression, ...rest } = optionsFor(new MemoryFullCache(2), {});
    const fullCache = new MemoryFullCache(model.decoder.config.kvHeads);
    const source = VericacheSource.open({ ...rest, fullCache, storedText: [] });
    await source.prefill(prompt);
    expect(await collect(source, 300)).toEqual(await plainly(prompt, 300, GREEDY_SAMPLING));
    await source.close();
  });
});
