import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { SluiceError, type RoundRecord } from '../contract';
import { Sampler, type DecodedToken } from '../llm';
import { planCaches } from './cache-set';
import { collect, TinyChat, WARM } from './test-support/tiny-chat';
import { windowCompressor } from './test-support/window-compressor';
import { VericacheSource } from './vericache-source';

let tiny: TinyChat;
beforeAll(async () => {
  tiny = await TinyChat.open();
});
afterAll(() => tiny.close());

describe('a conversation', () => {
  it('goes on from the tokens in the cache', async () => {
    const source = VericacheSource.open(tiny.options(tiny.fullCache()));
    const first = tiny.text(300);
    expect(await source.prefill(first)).toBe(0);
    const reply = await collect(source, 50);
    const second = [...first, ...reply, ...tiny.text(30, 31)];
    // The last token of a reply is in no cache before it is needed.
    expect(await source.prefill(second)).toBe(first.length + reply.length - 1);
    expect(await collect(source, 40)).toEqual(await tiny.plainly(second, 40));
    await source.close();
  });

  it('that is taken up earlier goes back to whole blocks', async () => {
    const source = VericacheSource.open(tiny.options(tiny.fullCache()));
    const first = tiny.text(500);
    await source.prefill(first);
    await collect(source, 20);
    const other = [...first.slice(0, 400), ...tiny.text(60, 17)];
    expect(await source.prefill(other)).toBe(384);
    expect(await collect(source, 40)).toEqual(await tiny.plainly(other, 40));
    expect(await source.prefill(tiny.text(5, 3))).toBe(0);
    expect(await collect(source, 10)).toEqual(await tiny.plainly(tiny.text(5, 3), 10));
    await source.close();
  });

  it('goes on in another process from whole blocks', async () => {
    const fullCache = tiny.fullCache();
    const prompt = tiny.text(300);
    const source = VericacheSource.open(tiny.options(fullCache, { sampling: WARM }));
    await source.prefill(prompt);
    const reply = await collect(source, 200);
    await source.settled();
    await source.close();
    const again = VericacheSource.open(tiny.options(fullCache, { sampling: WARM }));
    const whole = [...prompt, ...reply];
    expect(await again.prefill(whole)).toBe(384);
    expect(await collect(again, 60)).toEqual((await tiny.plainly(prompt, 260, WARM)).slice(200));
    await again.close();
  });
});

describe('after a failure', () => {
  it('of a prefill that was cancelled, what came before is there', async () => {
    const source = VericacheSource.open(tiny.options(tiny.fullCache()));
    await source.prefill(tiny.text(200));
    const longer = tiny.text(900);
    await expect(source.prefill(longer, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(await source.prefill(longer)).toBe(128);
    expect(await collect(source, 30)).toEqual(await tiny.plainly(longer, 30));
    await source.close();
  });

  it('of a round that was cancelled, the next gives its tokens', async () => {
    const source = VericacheSource.open(tiny.options(tiny.fullCache(), { draftLength: 10 }));
    const prompt = tiny.text(200);
    await source.prefill(prompt);
    const tokens = await collect(source, 10);
    await expect(source.next(50, AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    tokens.push(...(await collect(source, 30)));
    expect(tokens).toEqual(await tiny.plainly(prompt, 40));
    await source.close();
  });

  it('to read, the text goes on from what can be read', async () => {
    const fullCache = tiny.fullCache();
    const source = VericacheSource.open(tiny.options(fullCache));
    const prompt = tiny.text(600);
    await source.prefill(prompt);
    fullCache.readError = new SluiceError('corrupt-store', 'a block is damaged');
    await expect(collect(source, 60)).rejects.toThrow('a block is damaged');
    fullCache.readError = undefined;
    await source.prefill(prompt);
    expect(await collect(source, 60)).toEqual(await tiny.plainly(prompt, 60));
    await source.close();
  });

  it('of a block, what follows it is computed again', async () => {
    const fullCache = tiny.fullCache();
    const source = VericacheSource.open(tiny.options(fullCache, { sampling: WARM }));
    const prompt = tiny.text(600);
    await source.prefill(prompt);
    const tokens = await collect(source, 20);
    for (const block of [3, 1]) {
      fullCache.damagedFrom = block;
      tokens.push(...(await collect(source, 30)));
      expect(fullCache.damagedFrom).toBe(Infinity);
    }
    expect(tokens).toEqual(await tiny.plainly(prompt, 80, WARM));
    fullCache.damagedFrom = 2;
    expect(await source.prefill([...prompt, ...tokens])).toBe(256);
    expect(await collect(source, 10)).toEqual((await tiny.plainly(prompt, 90, WARM)).slice(80));
    await source.close();
  });

  it('to write, nothing that was written is lost, and the text goes on when there is room', async () => {
    const fullCache = tiny.fullCache();
    const source = VericacheSource.open(tiny.options(fullCache));
    const prompt = tiny.text(300);
    await source.prefill(prompt);
    fullCache.writeError = new SluiceError('io', 'the disk is full');
    await expect(collect(source, 800)).rejects.toThrow('the disk is full');
    expect(fullCache.blocks).toBe(2);
    fullCache.writeError = undefined;
    await source.prefill(prompt);
    expect(await collect(source, 300)).toEqual(await tiny.plainly(prompt, 300));
    expect(fullCache.blocks).toBe(4);
    await source.close();
  });
});

describe('settings', () => {
  it('of compression and memory change in mid-reply, and the text does not', async () => {
    const prompt = tiny.text(300);
    const source = VericacheSource.open(tiny.options(tiny.fullCache(), { sampling: WARM, budgetBytes: 0 }));
    await source.prefill(prompt);
    const tokens = await collect(source, 30);
    source.configure({ draftLength: 30 });
    tokens.push(...(await collect(source, 30)));
    const compressor = windowCompressor(200, 'window');
    source.configure({ compression: { compressor, ratio: 2, verify: true } });
    tokens.push(...(await collect(source, 30)));
    expect(compressor.seen.length).toBeGreaterThan(0);
    source.configure({ budgetBytes: 1 << 30 });
    tokens.push(...(await collect(source, 30)));
    expect(source.memory().budgetBytes).toBe(1 << 30);
    expect(tokens).toEqual(await tiny.plainly(prompt, 120, WARM));
    await source.close();
  });

  it('that can not be are refused, and nothing changes', async () => {
    const source = VericacheSource.open(tiny.options(tiny.fullCache()));
    const before = source.memory();
    expect(() => source.configure({ budgetBytes: 1000 })).toThrow(/at least .* the budget is 1000 B/);
    expect(() => source.configure({ draftLength: 64 })).toThrow(/expected 1 to 63 or auto, found 64/);
    expect(source.memory()).toEqual(before);
    await source.close();
  });

  it('of memory are kept to: the least that works, and all that helps', async () => {
    const prompt = tiny.text(300);
    const rounds: RoundRecord[] = [];
    for (const extraSlots of [0, 1]) {
      const least = tiny.options(tiny.fullCache());
      const slotBytes = planCaches(tiny.model.decoder, least).slotBytes;
      const budgetBytes = least.budgetBytes + extraSlots * slotBytes;
      const onRound = (round: RoundRecord): void => void rounds.push(round);
      const source = VericacheSource.open(tiny.options(tiny.fullCache(), { budgetBytes, onRound }));
      await source.prefill(prompt);
      rounds.length = 0;
      expect(await collect(source, 40)).toEqual(await tiny.plainly(prompt, 40));
      const memory = source.memory();
      expect(memory.compressedBytes + memory.residentBytes + memory.streamBytes).toBeLessThanOrEqual(
        budgetBytes,
      );
      if (extraSlots === 1) expect(rounds.every(({ readBytes }) => readBytes === 0)).toBe(true);
      else expect(rounds.some(({ readBytes }) => readBytes > 0)).toBe(true);
      await source.close();
    }
  });
});

describe('without verification', () => {
  it('tokens come from the compressed cache, and the full one catches up when there is no room', async () => {
    const compressor = windowCompressor(16);
    const prompt = tiny.text(300);
    const source = VericacheSource.open(
      tiny.options(tiny.fullCache(), {
        compression: { compressor, ratio: 4, verify: false },
        sampling: WARM,
      }),
    );
    await source.prefill(prompt);
    const decoded: DecodedToken[] = [];
    while (decoded.length < 600) decoded.push(...(await source.next(1)));
    expect(decoded.slice(1).every(({ origin }) => origin === 'lossy')).toBe(true);
    expect(new Set(compressor.seen.map(({ tokens }) => tokens)).size).toBe(2);
    const lossy = decoded.map(({ token }) => token);
    expect(lossy).not.toEqual(await tiny.plainly(prompt, 600, WARM));
    // Verified from here on: what follows is what plain decoding makes of this text.
    source.configure({ compression: { compressor, ratio: 4, verify: true } });
    const following = await collect(source, 30);
    expect(following).toEqual(await tiny.plainly([...prompt, ...lossy], 30, WARM));
    await source.close();
  });
});

describe('sampled tokens', () => {
  it('have the distribution of the full cache, whatever the draft', async () => {
    const prompt = tiny.text(140);
    const sampling = { temperature: 0.4, minP: 0.2 };
    const expected = new Map<string, number>();
    const counts = new Map<string, number>();
    const DRAWS = 400;
    const cache = tiny.model.decoder.createCache(prompt.length + 8);
    const logits = (await tiny.model.decoder.forward(prompt, cache, 1)).slice();
    const sampler = new Sampler({ ...sampling, seed: 0 });
    for (const [first, p] of sampler.probabilities(logits).entries()) {
      if (p === 0) continue;
      const next = await tiny.model.decoder.forward([first], cache, 1);
      for (const [second, q] of sampler.probabilities(next).entries()) {
        if (q > 0) expected.set(`${first},${second}`, p * q * DRAWS);
      }
      cache.truncate(prompt.length);
    }
    cache.release();
    for (let seed = 0; seed < DRAWS; seed += 1) {
      const drawn = VericacheSource.open(
        tiny.options(tiny.fullCache(), { draftLength: 3, maxTokens: 200, sampling: { ...sampling, seed } }),
      );
      await drawn.prefill(prompt);
      const key = (await collect(drawn, 4)).slice(0, 2).join(',');
      counts.set(key, (counts.get(key) ?? 0) + 1);
      await drawn.close();
    }
    expect([...counts.keys()].filter((key) => !expected.has(key))).toEqual([]);
    const { chiSquare, freedom } = chiSquareOf(counts, expected);
    expect(freedom).toBeGreaterThan(3);
    // Wilson and Hilferty's approximation of the quantile that is passed once in 10,000.
    const bound = freedom * (1 - 2 / (9 * freedom) + 3.719 * Math.sqrt(2 / (9 * freedom))) ** 3;
    expect(chiSquare).toBeLessThan(bound);
  }, 120_000);
});

/** Outcomes that are expected fewer than five times count as one. */
function chiSquareOf(
  counts: ReadonlyMap<string, number>,
  expected: ReadonlyMap<string, number>,
): { readonly chiSquare: number; readonly freedom: number } {
  let chiSquare = 0;
  let cells = 0;
  let rare = { found: 0, expected: 0 };
  const add = (found: number, mean: number): void => {
    chiSquare += (found - mean) ** 2 / mean;
    cells += 1;
  };
  for (const [key, mean] of expected) {
    const found = counts.get(key) ?? 0;
    if (mean >= 5) add(found, mean);
    else rare = { found: rare.found + found, expected: rare.expected + mean };
  }
  if (rare.expected > 0) add(rare.found, rare.expected);
  return { chiSquare, freedom: cells - 1 };
}
