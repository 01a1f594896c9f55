import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { MemoryDelayCurve } from '../../contract';
import { fakePlan } from '../test-support/fake-models';
import { combineCurves, combinePlans, shareBudget } from './text-plan';

const member = (
  name: string,
  weightBytes: number,
  minimumBytes: number,
): Parameters<typeof shareBudget>[2][number] => ({
  name,
  weightBytes,
  minimumBytes,
});

describe('shareBudget', () => {
  it('goes by weight, and lifts the light one to its minimum', () => {
    expect(shareBudget('p', 100, [member('a', 300, 10), member('b', 100, 10)])).toEqual([75, 25]);
    expect(shareBudget('p', 100, [member('a', 300, 10), member('b', 100, 40)])).toEqual([60, 40]);
  });

  it('names the minimum and what each network needs of it', () => {
    expect(() => shareBudget('p', 49, [member('a', 300, 10), member('b', 100, 40)])).toThrow(
      expect.objectContaining({
        code: 'budget-too-small',
        message: expect.stringContaining('a 10 B, b 40 B') as string,
        details: { minimumBytes: 50, budgetBytes: 49 },
      }) as Error,
    );
  });

  it('never exceeds the budget nor goes below a minimum', () => {
    const bytes = fc.integer({ min: 0, max: 1 << 30 });
    fc.assert(
      fc.property(fc.array(fc.tuple(bytes, bytes), { minLength: 1, maxLength: 4 }), bytes, (sizes, spare) => {
        const members = sizes.map(([weight, minimum], index) => member(`m${index}`, weight, minimum));
        const budget = members.reduce((sum, { minimumBytes }) => sum + minimumBytes, spare);
        const shares = shareBudget('p', budget, members);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(budget);
        shares.forEach((share, index) =>
          expect(share).toBeGreaterThanOrEqual(members[index]?.minimumBytes ?? 0),
        );
      }),
    );
  });
});

describe('combined plans and curves', () => {
  it('counts one detection and a recognition a region', () => {
    const plan = combinePlans([fakePlan(100), fakePlan(50)], 3);
    expect(plan).toMatchObject({ parameterMemoryBytes: 150, predictedMs: 5 + 15, streamedBytesPerRun: 40 });
    expect(plan.placement).toHaveLength(2);
  });

  it('spans from the least both need to all of both, and never gets slower', () => {
    const curve = (model: string, minimum: number): MemoryDelayCurve => ({
      model,
      mode: 'async',
      minimumBytes: minimum,
      totalBytes: minimum * 10,
      residentMs: 1,
      readLimitMs: 9,
      readBytesPerSec: 1e9,
      measured: [],
      points: Array.from({ length: 10 }, (_, step) => ({
        budgetBytes: minimum * (step + 1),
        predictedMs: 10 - step,
        ringBytes: minimum,
        residentBytes: minimum * step,
        residentLayers: step,
      })),
    });
    const combined = combineCurves([curve('a', 100), curve('b', 50)], [1000, 500], 2);
    expect(combined).toMatchObject({ minimumBytes: 150, totalBytes: 1500, residentMs: 3, readLimitMs: 27 });
    expect(combined.points[0]).toMatchObject({ budgetBytes: 150, predictedMs: 30, residentLayers: 0 });
    expect(combined.points.at(-1)).toMatchObject({ budgetBytes: 1500, predictedMs: 3 });
    const times = combined.points.map(({ predictedMs }) => predictedMs);
    expect(times).toEqual([...times].sort((a, b) => b - a));
  });
});
