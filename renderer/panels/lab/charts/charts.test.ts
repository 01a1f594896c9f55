import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fakeSeries } from '../../../test-support/fake-lab';
import { chartData, stepsWithin, valueRange, wholeRange } from './chart-data';
import { rangeAfterKey } from './chart-settings';
import { smoothed } from './smooth';

const A = fakeSeries('a', 'loss', 50, 1);
const B = fakeSeries('b', 'loss', 30, 2);
const PLAIN = { smoothing: 0, x: 'step', isLog: false } as const;

describe('smoothing', () => {
  const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 });
  const weight = fc.double({ min: 0.01, max: 0.99, noNaN: true });

  it('begins with the first value, leaves a constant as it is, and stays within the values', () => {
    fc.assert(
      fc.property(values, weight, (list, by) => {
        const out = smoothed(Float64Array.from(list), by);
        expect(out[0]).toBeCloseTo(list[0]!, 6);
        const room = 1e-6 * Math.max(...list.map(Math.abs), 1);
        for (const value of out) {
          expect(value).toBeGreaterThanOrEqual(Math.min(...list) - room);
          expect(value).toBeLessThanOrEqual(Math.max(...list) + room);
        }
      }),
    );
    for (const value of smoothed(new Float64Array(20).fill(7), 0.9)) expect(value).toBeCloseTo(7, 9);
  });

  it('is the weighted mean of all values so far', () => {
    const [a, b, c] = smoothed(Float64Array.of(1, 2, 4), 0.5);
    expect([a, b, c]).toEqual([1, (0.5 * 1 + 2) / 1.5, (0.25 * 1 + 0.5 * 2 + 4) / 1.75]);
  });

  it('leaves out what is no number', () => {
    const [a, b, c] = smoothed(Float64Array.of(2, NaN, 2), 0.9);
    expect([a, b, c]).toEqual([2, NaN, 2]);
  });
});

describe('columns of a plot', () => {
  it('are one x for all runs, and two lines a run', () => {
    const data = chartData([A, B], PLAIN, new Set());
    expect(data).toHaveLength(5);
    expect(data[0]).toHaveLength(50);
    expect(data[1]![3]).toBe(A.value[3]);
    expect(data[3]![40]).toBeUndefined();
  });

  it('leave out hidden runs, and on a logarithmic axis what is not above zero', () => {
    const data = chartData([A, B], PLAIN, new Set(['a']));
    expect(data[0]).toHaveLength(30);
    const low = { ...A, value: Float64Array.from(A.value, (value, index) => (index === 2 ? -1 : value)) };
    expect(chartData([low], { ...PLAIN, isLog: true }, new Set())[1]![2]).toBeNull();
    expect(chartData([{ ...A, value: A.value.fill(NaN, 5, 6) }], PLAIN, new Set())[1]![5]).toBeNull();
  });

  it('rise in x although a resumed run went back', () => {
    const back = { ...A, step: Float64Array.from(A.step, (step, index) => (index < 30 ? step : step - 100)) };
    const [x] = chartData([back], PLAIN, new Set());
    expect([...x]).toEqual([...new Set(x)].sort((a, b) => a - b));
  });
});

describe('a part of the x axis', () => {
  it('shows steps, on an axis of time too', () => {
    expect(stepsWithin([A], 'step', { from: 10.4, to: 20.2 })).toEqual({ fromStep: 10, toStep: 21 });
    const xs = wholeRange([A], 'relative');
    expect(xs?.from).toBe(0);
    const part = stepsWithin([A], 'relative', { from: 13.5, to: 27 });
    expect(part).toEqual({ fromStep: 90, toStep: 210 });
    expect(stepsWithin([A], 'wall', { from: 0, to: 1 })).toBeUndefined();
  });

  it('moves and widens within the whole by keys, and becomes the whole', () => {
    const whole = { from: 0, to: 100 };
    const key = fc.constantFrom('ArrowLeft', 'ArrowRight', '+', '-', '0');
    fc.assert(
      fc.property(fc.array(key, { maxLength: 30 }), (keys) => {
        let range: { from: number; to: number } | undefined;
        for (const each of keys) {
          const next = rangeAfterKey(each, range ?? whole, whole);
          if (next === 'none') throw new Error(each);
          range = next;
          if (range === undefined) continue;
          expect(range.from).toBeGreaterThanOrEqual(0);
          expect(range.to).toBeLessThanOrEqual(100);
          expect(range.to).toBeGreaterThan(range.from);
        }
      }),
    );
    expect(rangeAfterKey('x', whole, whole)).toBe('none');
  });

  it('knows no range of values where none is finite', () => {
    expect(valueRange(Float64Array.of(NaN, Infinity))).toBeUndefined();
    expect(valueRange(Float64Array.of(3, NaN, -1))).toEqual({ low: -1, high: 3 });
  });
});
