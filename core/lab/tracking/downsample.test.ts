import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { downsample } from './downsample';
import { packPoints, PointView } from './points';

const view = (values: readonly number[]): PointView =>
  new PointView(packPoints(values.map((value, step) => ({ step, timestampMs: 0, value }))));

describe('downsample', () => {
  const value = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, 0));

  it('keeps order, ends and extremes, and never more points than asked for', () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 200 }),
        fc.integer({ min: 4, max: 50 }),
        (values, most) => {
          const kept = downsample(view(values), most);
          expect(kept.length).toBeLessThanOrEqual(most);
          const steps = kept.map(({ step }) => Number(step));
          expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
          expect([steps[0], steps.at(-1)]).toEqual([0, values.length - 1]);
          for (const { step, value: one } of kept) expect(one).toBe(values[Number(step)]);
          const numbers = values.filter((one) => !Number.isNaN(one));
          const keptNumbers = kept.map((point) => point.value).filter((one) => !Number.isNaN(one));
          expect(Math.max(...keptNumbers)).toBe(Math.max(...numbers));
          expect(Math.min(...keptNumbers)).toBe(Math.min(...numbers));
          expect(kept.length).toBeGreaterThanOrEqual(Math.min(values.length, Math.floor(most / 2)));
        },
      ),
    );
  });

  it('draws a million points from a thousand without losing a peak of one point', () => {
    const values = Array.from({ length: 1_000_000 }, (_, step) => Math.sin(step / 1000));
    values[123_457] = 99;
    values[765_431] = -99;
    const kept = downsample(view(values), 1000).map((point) => point.value);
    expect(kept).toHaveLength(1000);
    expect([Math.max(...kept), Math.min(...kept)]).toEqual([99, -99]);
  });

  it.each([
    [1, [4]],
    [2, [0, 4]],
    [3, [0, 4]],
    [5, [0, 1, 2, 3, 4]],
  ])('gives %i of five as %j', (most, steps) => {
    expect(downsample(view([0, 3, -1, 5, 2]), most).map(({ step }) => step)).toEqual(steps);
  });

  it('gives nothing of nothing', () => {
    expect(downsample(view([]), 10)).toEqual([]);
  });
});
