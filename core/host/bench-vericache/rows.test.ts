import { describe, expect, it } from 'vitest';

import type { RoundRecord } from '../../contract';
import { judge } from './bars';
import { Tally } from './exactness';
import { toRow, type CheckedRun, type SideName, type VericacheRow } from './rows';

const FACTS = { contextTokens: 1024, ratio: 4, fullCacheBytes: 1000 };
const ROUND: RoundRecord = {
  index: 0,
  startMs: 0,
  draftMs: 10,
  swapMs: 5,
  verifyMs: 20,
  drafted: 3,
  proposed: 0,
  accepted: 2,
  readBytes: 400,
};

const run = (change: Partial<CheckedRun> = {}): CheckedRun => ({
  tokens: [1, 2, 3, 4],
  prefillMs: 50,
  decodeMs: 80,
  rounds: [ROUND, ROUND],
  fastMemoryBytes: 90,
  peakMemoryBytes: 95,
  budgetBytes: 100,
  exact: true,
  ...change,
});

const row = (side: SideName, runs: readonly CheckedRun[] = [run()]): VericacheRow =>
  toRow({ side }, FACTS, runs);

describe('a row', () => {
  it('splits up all the time of a reply', () => {
    const { draftMs, swapMs, verifyMs, otherMs, decodeMs } = row('vericache');
    expect({ draftMs, swapMs, verifyMs, otherMs, decodeMs }).toEqual({
      draftMs: 20,
      swapMs: 10,
      verifyMs: 40,
      otherMs: 10,
      decodeMs: 80,
    });
    expect(row('lossy', [run({ rounds: [] })])).toMatchObject({
      draftMs: 80,
      swapMs: 0,
      verifyMs: 0,
      otherMs: 0,
      rounds: 0,
    });
  });

  it('has the rate of all replies together, and tells apart the slow from the fast', () => {
    expect(row('vericache', [run({ decodeMs: 100 }), run({ decodeMs: 300 })])).toMatchObject({
      tokensPerSec: 15,
      tokensPerSecRange: [10, 30],
      exact: true,
    });
    expect(row('vericache', [run(), run({ exact: false })]).exact).toBe(false);
  });

  it('is within its budget only if no reply ever was beyond', () => {
    expect(row('vericache')).toMatchObject({ peakMemoryBytes: 95, peakWithinBudget: true });
    const over = row('vericache', [run(), run({ peakMemoryBytes: 101 })]);
    expect(over).toMatchObject({ fastMemoryBytes: 90, peakMemoryBytes: 101, peakWithinBudget: false });
    const bars = judge([row('full-memory'), over], []);
    expect(bars.find(({ bar }) => bar.includes('memory than their budget'))).toMatchObject({
      value: 1,
      met: false,
      worst: 'vericache',
    });
  });

  it('with another text fails, unless it is lossy', () => {
    const other = run({ exact: false });
    const inexact = (rows: readonly VericacheRow[]): number | undefined =>
      judge(rows, []).find(({ bar }) => bar.includes('text is not that'))?.value;
    expect(inexact([row('lossy', [other])])).toBe(0);
    expect(inexact([row('remote-prefix', [run(), other])])).toBe(1);
  });
});

describe('exactness', () => {
  const plain = [1, 2, 3, 4];

  it('of lossy text counts up to its first difference, of verified text every place', () => {
    const lossy = new Tally({ side: 'lossy', compressor: 'x' }, 4);
    lossy.add([1, 9], plain);
    lossy.add(plain, plain);
    expect(lossy.row()).toMatchObject({
      prompts: 2,
      exactMatchPct: 62.5,
      divergedReplies: 1,
      firstDivergence: 1,
      medianDivergence: 1,
    });
    const verified = new Tally({ side: 'vericache', compressor: 'x' }, 4);
    verified.add([1, 9, 3, 4], plain);
    expect(verified.row()).toMatchObject({ exactMatchPct: 75, firstDivergence: 1 });
    expect(judge([], [lossy.row(), verified.row()])).toEqual([
      expect.objectContaining({ value: 75, met: false }),
    ]);
  });

  it('is all or not all, however many tokens there are', () => {
    const tally = new Tally({ side: 'vericache', compressor: 'x' }, 1_000_000);
    const many = new Array<number>(1_000_000).fill(1);
    tally.add([...many.slice(1), 2], many);
    expect(tally.row().exactMatchPct).toBeLessThan(100);
  });
});

it('what was not measured is not judged', () => {
  expect(judge([], [])).toEqual([]);
});
