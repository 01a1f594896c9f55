import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fakeCurve, fakeModel } from '../../test-support/fake-library';
import {
  budgetScale,
  budgetToStep,
  clampBudget,
  defaultBudget,
  latencyScale,
  niceStep,
  pointAt,
  predictAt,
  SLIDER_STEPS,
  stepToBudget,
} from './curve-scale';

const MIB = 2 ** 20;
const limits = fc
  .tuple(fc.integer({ min: 1, max: 2 ** 34 }), fc.double({ min: 1, max: 500, noNaN: true }))
  .map(([minimumBytes, ratio]) => ({ minimumBytes, totalBytes: Math.ceil(minimumBytes * ratio) }));

describe('budget axis', () => {
  it('runs from the least budget to the whole, and back', () => {
    fc.assert(
      fc.property(
        limits,
        fc.double({ min: 0, max: 1, noNaN: true }),
        ({ minimumBytes, totalBytes }, unit) => {
          const scale = budgetScale(minimumBytes, totalBytes);
          expect(scale.toUnit(minimumBytes)).toBeCloseTo(0, 9);
          if (totalBytes > minimumBytes) {
            expect(scale.toUnit(totalBytes)).toBeCloseTo(1, 6);
            expect(scale.toUnit(scale.fromUnit(unit))).toBeCloseTo(unit, 5);
          }
        },
      ),
    );
  });

  it('is logarithmic only when the ends lie far apart', () => {
    expect(budgetScale(10 * MIB, 1000 * MIB).fromUnit(0.5)).toBeCloseTo(100 * MIB, -3);
    expect(budgetScale(10 * MIB, 30 * MIB).fromUnit(0.5)).toBeCloseTo(20 * MIB, -3);
  });

  it('has few ticks, all inside', () => {
    fc.assert(
      fc.property(limits, ({ minimumBytes, totalBytes }) => {
        const { ticks } = budgetScale(minimumBytes, totalBytes);
        expect(ticks.length).toBeLessThanOrEqual(12);
        for (const tick of ticks) {
          expect(tick).toBeGreaterThanOrEqual(minimumBytes);
          expect(tick).toBeLessThanOrEqual(totalBytes);
        }
      }),
    );
  });

  it('maps both ends of the slider exactly and never leaves the limits', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: -5, max: SLIDER_STEPS + 5 }), (curve, step) => {
        const scale = budgetScale(curve.minimumBytes, curve.totalBytes);
        expect(stepToBudget(scale, 0, curve)).toBe(curve.minimumBytes);
        expect(stepToBudget(scale, SLIDER_STEPS, curve)).toBe(curve.totalBytes);
        const bytes = stepToBudget(scale, step, curve);
        expect(Number.isInteger(bytes)).toBe(true);
        expect(bytes).toBeGreaterThanOrEqual(curve.minimumBytes);
        expect(bytes).toBeLessThanOrEqual(curve.totalBytes);
      }),
    );
  });

  it('comes back to the step it was set from', () => {
    const curve = { minimumBytes: 10 * MIB, totalBytes: 528 * MIB };
    const scale = budgetScale(curve.minimumBytes, curve.totalBytes);
    for (let step = 0; step <= SLIDER_STEPS; step += 13) {
      expect(budgetToStep(scale, stepToBudget(scale, step, curve))).toBe(step);
    }
  });
});

describe('latency axis', () => {
  it('starts at 0 and holds everything drawn', () => {
    const curve = fakeCurve(fakeModel({ name: 'm' }), 'async', [
      { budgetBytes: 20 * MIB, mode: 'async', medianMs: 90, p10Ms: 80, p90Ms: 400, runs: 3 },
    ]);
    const scale = latencyScale(curve);
    expect(scale.ticks[0]).toBe(0);
    expect(scale.toUnit(400)).toBeLessThan(1);
    expect(scale.toUnit(0)).toBe(0);
  });

  it.each([
    [100, 4, 50],
    [7, 4, 2],
    [0.9, 4, 0.5],
    [1234, 5, 500],
  ])('a step for a span of %d in %d parts is %d', (span, count, step) => {
    expect(niceStep(span, count)).toBeCloseTo(step, 9);
  });
});

describe('prediction at a budget', () => {
  const points = [
    { budgetBytes: 100, predictedMs: 50, ringBytes: 0, residentBytes: 0, residentLayers: 0 },
    { budgetBytes: 200, predictedMs: 30, ringBytes: 0, residentBytes: 0, residentLayers: 4 },
    { budgetBytes: 400, predictedMs: 20, ringBytes: 0, residentBytes: 0, residentLayers: 9 },
  ];

  it.each([
    [50, 50],
    [100, 50],
    [150, 40],
    [200, 30],
    [300, 25],
    [900, 20],
  ])('at %d it is %d ms', (bytes, ms) => expect(predictAt(points, bytes)).toBe(ms));

  it('takes what is resident from the last point that fits', () => {
    expect(pointAt(points, 399)?.residentLayers).toBe(4);
    expect(pointAt(points, 400)?.residentLayers).toBe(9);
    expect(pointAt(points, 10)?.residentLayers).toBe(0);
    expect(pointAt([], 10)).toBeUndefined();
    expect(predictAt([], 10)).toBeUndefined();
  });
});

describe('budget limits', () => {
  it('starts at 11.6% of the weights, within what is possible', () => {
    expect(defaultBudget({ minimumBytes: 10, totalBytes: 1000 })).toBe(116);
    expect(defaultBudget({ minimumBytes: 300, totalBytes: 1000 })).toBe(300);
  });

  it('clamps', () => {
    expect(clampBudget(5, { minimumBytes: 10, totalBytes: 20 })).toBe(10);
    expect(clampBudget(50, { minimumBytes: 10, totalBytes: 20 })).toBe(20);
    expect(clampBudget(50, { minimumBytes: 10, totalBytes: 0 })).toBe(10);
  });
});
