import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { tinyChatModel } from '../../../llm/test-support/tiny-chat-model';
import { LanguageBench } from '../../test-support/language-bench';
import { textOf } from './stored-conversation';

let bench: LanguageBench;
beforeAll(async () => {
  bench = await LanguageBench.open(tinyChatModel({ weights: 'F32' }));
});
afterAll(() => bench.close());

const store = (): string => join(bench.dataDir, 'language', 'tiny', 'streamed-weights');

describe('a model larger than the global budget', () => {
  it.each(['full', 'vericache'] as const)('says in mode %s what it says in memory', async (mode) => {
    await bench.budget.setLimit(0);
    const whole = await bench.create({ mode });
    const expected = await bench.ask(whole, 'Tell me more');
    expect((await bench.conversations.open(whole)).memory?.streamedWeights).toBeUndefined();
    // Another model takes its place, so that it is loaded anew.
    await bench.restart();

    const weightBytes = statSync(bench.modelFile).size;
    const limitBytes = Math.round(weightBytes * 0.9);
    await bench.budget.setLimit(limitBytes);
    const id = await bench.create({ mode });
    const reply = await bench.ask(id, 'Tell me more');
    expect(reply).toMatchObject({ state: 'done' });
    expect(textOf(reply)).toBe(textOf(expected));
    expect(existsSync(store())).toBe(true);
    const told = bench.progress(reply.id);
    expect(told[0]?.phase).toMatchObject({ kind: 'loading', streamedWeights: { budgetBytes: limitBytes } });
    const { memory } = await bench.conversations.open(id);
    expect(memory?.streamedWeights).toMatchObject({ budgetBytes: limitBytes });
    expect(memory?.streamedWeights?.readBytesPerPass).toBeGreaterThan(0);
    expect(bench.budget.state().holders).toMatchObject([{ model: 'tiny', residentBytes: limitBytes }]);
    await bench.restart();
  });

  it('names the least budget and what holds it when not even that is left, and replies with more', async () => {
    await bench.budget.setLimit(1000);
    const id = await bench.create();
    const failed = await bench.ask(id, 'Fit');
    expect(failed).toMatchObject({ state: 'failed', error: { code: 'budget-too-small' } });
    expect(failed.error?.message).toMatch(/needs .*; the global budget is 1000 B, of which nothing is held/);
    expect(bench.budget.state().holders).toEqual([]);
    await bench.budget.setLimit(Number(failed.error?.details['minimumBytes']));
    expect(await bench.retry(id)).toMatchObject({ state: 'done' });
  });

  it('takes what was laid out for it along when it is removed', async () => {
    await bench.restart();
    await bench.language.models.remove('tiny');
    expect(existsSync(store())).toBe(false);
  });
});
