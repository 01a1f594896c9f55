import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { endTick, ringPieces, scheduleStream, ticksPerInference } from '../../layering';
import { planWeights, totalBytes, type WeightPlan } from './plan-weights';

const KIB = 1 << 10;
interface Step {
  readonly fileOffset: number;
  readonly byteLength: number;
  readonly residentBytes: number;
  readonly streamedBytes: number;
}

function stepsOf(sizes: readonly number[]): readonly Step[] {
  let fileOffset = 0;
  return sizes.map((byteLength) => {
    const step = { fileOffset, byteLength, residentBytes: 1.4 * byteLength, streamedBytes: 1.2 * byteLength };
    fileOffset += Math.ceil(byteLength / 4096) * 4096;
    return step;
  });
}

const sizes = fc.array(fc.integer({ min: 1, max: 6000 * KIB }), { minLength: 3, maxLength: 40 });
const shares = fc.double({ min: 0, max: 1.1, noNaN: true });

function planOf(steps: readonly Step[], budgetBytes: number): WeightPlan | number {
  try {
    return planWeights(steps, budgetBytes);
  } catch (error) {
    expect(error).toMatchObject({ code: 'budget-too-small', details: { budgetBytes } });
    return (error as { details: { minimumBytes: number } }).details.minimumBytes;
  }
}

describe('a plan for weights', () => {
  it('keeps to the budget, or names one that will do', () => {
    fc.assert(
      fc.property(sizes, shares, (lengths, share) => {
        const steps = stepsOf(lengths);
        const budgetBytes = share * steps.reduce((sum, { residentBytes }) => sum + residentBytes, 0);
        const plan = planOf(steps, budgetBytes);
        if (typeof plan !== 'number') {
          expect(totalBytes(plan)).toBeLessThanOrEqual(budgetBytes);
          expect([...plan.resident, ...plan.streamed].sort((a, b) => a - b)).toEqual(
            steps.map((_, at) => at),
          );
          return;
        }
        expect(plan).toBeGreaterThan(budgetBytes);
        expect(planOf(steps, plan)).not.toBeTypeOf('number');
      }),
    );
  });

  it('never lets a read wait for a session that is not given back yet', () => {
    fc.assert(
      fc.property(sizes, shares, (lengths, share) => {
        const steps = stepsOf(lengths);
        const plan = planOf(steps, share * steps.reduce((sum, { residentBytes }) => sum + residentBytes, 0));
        if (typeof plan === 'number' || !plan.program) return;
        const { program, streamed, sessions } = plan;
        const count = streamed.length;
        const { operations, lastOperation } = scheduleStream(ringPieces(program), {
          mode: 'async',
          ringBytes: program.ringBytes,
          chunkBytes: program.chunkBytes,
          steps: count,
        });
        const ticks = ticksPerInference(count);
        // Three rounds; before number n is waited for, number n - sessions has been given back.
        for (let number = sessions; number < 3 * count; number += 1) {
          const over = number - sessions;
          const clock = Math.floor(over / count) * ticks + endTick(over % count);
          const step = number % count;
          for (const { barrierTick } of operations.slice(0, lastOperation[step]! + 1)) {
            expect(Math.floor(number / count) * ticks + barrierTick).toBeLessThanOrEqual(clock);
          }
        }
      }),
    );
  });

  it('keeps all in memory where there is room', () => {
    const steps = stepsOf([KIB, KIB, KIB]);
    expect(planWeights(steps, 1 << 20)).toMatchObject({ streamed: [], ringBytes: 0, sessionBytes: 0 });
  });
});
