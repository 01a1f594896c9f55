import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { RoundRecord } from '../contract';
import { requireSameVocabulary, type LanguageModel } from '../llm';
import { draftModel, type DraftModel } from './draft-model';
import { collect, GREEDY_SAMPLING, TinyChat, WARM } from './test-support/tiny-chat';
import { windowCompressor } from './test-support/window-compressor';
import type { Proposer, VericacheOptions } from './vericache-options';
import { VericacheSource } from './vericache-source';

const SHORT_CONTEXT = 300;
let tiny: TinyChat;
let same: LanguageModel;
let another: LanguageModel;
let short: LanguageModel;
beforeAll(async () => {
  tiny = await TinyChat.open();
  same = await tiny.other({});
  another = await tiny.other({ seed: 2, weights: 'F16' });
  short = await tiny.other({ contextLength: SHORT_CONTEXT });
});
afterAll(() => tiny.close());

const drafting = (model: LanguageModel): DraftModel => draftModel({ model, main: tiny.model });

/** Proposes what the text does not go on with. */
function alwaysWrong(whole: readonly number[]): Proposer {
  return {
    name: 'wrong',
    propose: (text, limit) => whole.slice(text.length, text.length + limit).map((token) => (token + 1) % 320),
  };
}

interface Reply {
  readonly tokens: readonly number[];
  readonly rounds: readonly RoundRecord[];
}

async function reply(
  prompt: readonly number[],
  count: number,
  change: Partial<VericacheOptions>,
): Promise<Reply> {
  const rounds: RoundRecord[] = [];
  const onRound = (round: RoundRecord): void => void rounds.push(round);
  const source = VericacheSource.open(tiny.options(tiny.fullCache(), { onRound, ...change }));
  try {
    await source.prefill(prompt);
    return { tokens: await collect(source, count), rounds };
  } finally {
    await source.close();
  }
}

const proposedIn = ({ rounds }: Reply): number => rounds.reduce((sum, { proposed }) => sum + proposed, 0);

describe('the text', () => {
  it('is that of plain decoding with the same seed, whatever the draft model says', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('same', 'another', 'short', 'wrong'),
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 120 }),
        fc.constantFrom(GREEDY_SAMPLING, WARM, { temperature: 2, seed: 5 }),
        fc.oneof(fc.constant('auto' as const), fc.integer({ min: 1, max: 63 })),
        fc.constantFrom(1, 64, 1000),
        async (kind, length, count, sampling, draftLength, keep) => {
          const prompt = tiny.text(length);
          const expected = await tiny.plainly(prompt, count, sampling);
          const models = { same, another, short } as const;
          const draft = kind === 'wrong' ? undefined : drafting(models[kind]);
          const { tokens } = await reply(prompt, count, {
            sampling,
            draftLength,
            proposers: [draft ?? alwaysWrong([...prompt, ...expected])],
            compression: { compressor: windowCompressor(keep), ratio: 4, verify: true },
          });
          draft?.close();
          expect(tokens).toEqual(expected);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('has no token of a draft that is always wrong, and all of one that knows it', async () => {
    const prompt = tiny.text(200);
    const whole = { compressor: windowCompressor(1000), ratio: 4, verify: true };
    const options = { compression: whole, draftLength: 9 };
    const expected = await tiny.plainly(prompt, 60);
    const draft = drafting(same);
    expect(proposedIn(await reply(prompt, 60, { ...options, proposers: [draft] }))).toBeGreaterThan(40);
    draft.close();
    const wrong = alwaysWrong([...prompt, ...expected]);
    expect(proposedIn(await reply(prompt, 60, { ...options, proposers: [wrong] }))).toBe(0);
  });

  it('goes on when a draft model comes and goes in mid-reply, and its memory is told', async () => {
    const prompt = tiny.text(200);
    const source = VericacheSource.open(tiny.options(tiny.fullCache(), { sampling: WARM }));
    await source.prefill(prompt);
    const tokens = await collect(source, 20);
    expect(source.memory()).not.toHaveProperty('draftModelBytes');
    const draft = drafting(another);
    source.configure({ proposers: [draft] });
    expect(source.memory().draftModelBytes).toBe(another.weightBytes);
    tokens.push(...(await collect(source, 30)));
    const { draftModelBytes, budgetBytes, compressedBytes, residentBytes, streamBytes } = source.memory();
    // Keys and values of 3 layers with 2 heads of 32 floats.
    expect(draftModelBytes).toBeGreaterThanOrEqual(another.weightBytes + 230 * 3 * 2 * 2 * 32 * 4);
    expect(compressedBytes + residentBytes + streamBytes).toBeLessThanOrEqual(budgetBytes);
    source.configure({ proposers: [] });
    draft.close();
    expect(draft.memoryBytes).toBe(another.weightBytes);
    tokens.push(...(await collect(source, 30)));
    expect(tokens).toEqual(await tiny.plainly(prompt, 80, WARM));
    await source.close();
  });
});

describe('a draft model', () => {
  it('proposes its own greedy text, however the text it follows changes', async () => {
    const draft = drafting(same);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 300 }),
        fc.constantFrom(7919, 31),
        fc.integer({ min: 1, max: 8 }),
        fc.boolean(),
        async (length, seed, limit, isPrepared) => {
          const text = tiny.text(length, seed);
          if (isPrepared) await draft.prepare(text);
          const proposed = await draft.propose(text, limit);
          const expected = await tiny.plainly(text, limit);
          const end = expected.findIndex((token) => same.tokenizer.endTokens.has(token));
          expect(proposed).toEqual(end < 0 ? expected : expected.slice(0, end + 1));
        },
      ),
      { numRuns: 25 },
    );
    draft.close();
  });

  it('proposes nothing beyond its context, and takes no memory for it', async () => {
    const draft = drafting(short);
    const tooLong = tiny.text(SHORT_CONTEXT + 1);
    await draft.prepare(tooLong);
    expect(await draft.propose(tooLong, 8)).toEqual([]);
    expect(draft.memoryBytes).toBe(short.weightBytes);
    expect(await draft.propose(tiny.text(SHORT_CONTEXT), 8)).toHaveLength(1);
    expect(await draft.propose(tiny.text(SHORT_CONTEXT - 3), 8)).toHaveLength(4);
    expect(await draft.propose(tooLong, 8)).toEqual([]);
    draft.close();
  });

  it('can be cancelled between two tokens and in a text, and goes on from what it has', async () => {
    const draft = drafting(same);
    const text = tiny.text(200);
    const abort = new AbortController();
    const cancelled = draft.propose(text, 8, abort.signal);
    setImmediate(() => setImmediate(() => abort.abort()));
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    await expect(draft.prepare(tiny.text(900, 31), AbortSignal.abort())).rejects.toMatchObject({
      code: 'cancelled',
    });
    expect(await draft.propose(text, 8)).toEqual(await tiny.plainly(text, 8));
    draft.close();
  });

  it('that fails leaves a source whose next rounds give the same text', async () => {
    const prompt = tiny.text(200);
    const source = VericacheSource.open(tiny.options(tiny.fullCache(), { draftLength: 10 }));
    await source.prefill(prompt);
    const tokens = await collect(source, 10);
    const failing: Proposer = { name: 'failing', propose: () => Promise.reject(new Error('no more memory')) };
    source.configure({ proposers: [failing] });
    await expect(source.next(50)).rejects.toThrow('no more memory');
    source.configure({ proposers: [] });
    tokens.push(...(await collect(source, 30)));
    expect(tokens).toEqual(await tiny.plainly(prompt, 40));
    await source.close();
  });
});

describe('a vocabulary', () => {
  it('that differs in one token is refused, by both names and the token', async () => {
    const model = await tiny.other({ renamed: [300, 'zzz'] });
    expect(() => drafting(model)).toThrow(
      expect.objectContaining({
        code: 'bad-input',
        message: expect.stringMatching(
          /other-\d\.gguf can't draft for .*tiny\.gguf: expected token 300 to be "\w\w", found "zzz"/,
        ) as string,
      }),
    );
  });

  it.each([
    [{ size: 4, tokens: ['a', 'b', 'c'] }, /expected a vocabulary of 3 tokens, found 4/],
    [{ size: 3, tokens: ['a', 'b'] }, /expected token 2 to be "c", found none/],
    [{ size: 3, tokens: ['b', 'a', 'c'] }, /expected token 0 to be "a", found "b"/],
  ])('%j is not that of the main model', (draft, message) => {
    const main = { file: 'main.gguf', size: 3, tokens: ['a', 'b', 'c'] };
    expect(() => requireSameVocabulary(main, main)).not.toThrow();
    expect(() => requireSameVocabulary(main, { file: 'draft.gguf', ...draft })).toThrow(message);
  });
});
