import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planArena, type Lifetime } from './arena';

const lifetimes = fc
  .array(
    fc.tuple(
      fc.integer({ min: 0, max: 5000 }),
      fc.integer({ min: -1, max: 30 }),
      fc.integer({ min: 0, max: 10 }),
    ),
  )
  .map((items) =>
    items.map(([byteLength, firstStep, span], index): Lifetime => {
      return { name: `v${index}`, byteLength, firstStep, lastStep: firstStep + span };
    }),
  );

describe('planArena', () => {
  it('never lets two values that live at the same time overlap', () => {
    fc.assert(
      fc.property(lifetimes, (values) => {
        const plan = planArena(values);
        for (const a of values) {
          for (const b of values) {
            if (a === b || a.lastStep < b.firstStep || b.lastStep < a.firstStep) continue;
            const [startA = 0, startB = 0] = [plan.offsets.get(a.name), plan.offsets.get(b.name)];
            expect(
              startA + a.byteLength <= startB ||
                startB + b.byteLength <= startA ||
                a.byteLength === 0 ||
                b.byteLength === 0,
            ).toBe(true);
          }
        }
      }),
    );
  });

  it('reuses the bytes of values that are gone', () => {
    const chain = [0, 1, 2, 3].map((step) => ({
      name: `v${step}`,
      byteLength: 640,
      firstStep: step,
      lastStep: step + 1,
    }));
    expect(planArena(chain).byteLength).toBe(1280);
  });
});
