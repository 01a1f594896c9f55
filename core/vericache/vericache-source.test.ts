import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RoundRecord } from '../contract';
import { promptLookup } from './prompt-lookup';
import type { MemoryFullCache } from './test-support/memory-full-cache';
import { collect, GREEDY_SAMPLING, TinyChat, WARM } from './test-support/tiny-chat';
import { windowCompressor } from './test-support/window-compressor';
import type { VericacheOptions } from './vericache-options';
import { VericacheSource } from './vericache-source';

let tiny: TinyChat;
beforeAll(async () => {
  tiny = await TinyChat.open();
});
afterAll(() => tiny.close());

async function verified(
  prompt: readonly number[],
  count: number,
  change: Partial<VericacheOptions> = {},
): Promise<{ tokens: number[]; rounds: RoundRecord[]; fullCache: MemoryFullCache }> {
  const fullCache = tiny.fullCache();
  const rounds: RoundRecord[] = [];
  const onRound = (round: RoundRecord): void => void rounds.push(round);
  const source = VericacheSource.open(tiny.options(fullCache, { onRound, ...change }));
  await source.prefill(prompt);
  const tokens = await collect(source, count);
  await source.close();
  return { tokens, rounds, fullCache };
}

describe('the text', () => {
  const anySampling = fc.constantFrom(GREEDY_SAMPLING, WARM, { temperature: 2, seed: 5 });
  const anyChange = fc.record({
    keep: fc.constantFrom(1, 64, 1000),
    observes: fc.constantFrom('nothing', 'window', 'all' as const),
    draftLength: fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 63 })),
    lookup: fc.boolean(),
  });

  it('is that of plain decoding with the same seed, however it is drafted', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 1, max: 150 }),
        anySampling,
        anyChange,
        async (length, count, sampling, { keep, observes, draftLength, lookup }) => {
          const prompt = tiny.text(length);
          const { tokens } = await verified(prompt, count, {
            sampling,
            draftLength,
            proposers: lookup ? [promptLookup()] : [],
            compression: { compressor: windowCompressor(keep, observes), ratio: 4, verify: true },
          });
          expect(tokens).toEqual(await tiny.plainly(prompt, count, sampling));
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is the same over long replies, in which blocks go out and the cache is compressed again', async () => {
    const prompt = tiny.text(300);
    const compressor = windowCompressor(32);
    const { tokens, rounds, fullCache } = await verified(prompt, 800, {
      sampling: WARM,
      draftLength: 20,
      compression: { compressor, ratio: 4, verify: true },
    });
    expect(tokens).toEqual(await tiny.plainly(prompt, 800, WARM));
    expect(fullCache.blocks).toBeGreaterThanOrEqual(7);
    expect(fullCache.text).toEqual([...prompt, ...tokens].slice(0, fullCache.text.length));
    expect(new Set(compressor.seen.map(({ tokens: at }) => at)).size).toBeGreaterThan(2);
    expect(rounds.reduce((sum, { accepted }) => sum + accepted + 1, 0)).toBe(799);
  });

  it('is that of plain decoding when every step reads the full cache', async () => {
    const prompt = tiny.text(400);
    const { compression: _none, ...options } = tiny.options(tiny.fullCache());
    const source = VericacheSource.open(options);
    await source.prefill(prompt);
    expect(await collect(source, 300)).toEqual(await tiny.plainly(prompt, 300, GREEDY_SAMPLING));
    await source.close();
  });
});
