import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topIndices } from './top-indices';

/** By sorting, with the rule for equals spelled out. */
function sorted(scores: Float32Array, count: number): number[] {
  const value = (index: number): number => (Number.isNaN(scores[index]) ? -Infinity : scores[index]!);
  return Array.from(scores, (_, index) => index)
    .sort((a, b) => (value(a) === value(b) ? a - b : value(a) > value(b) ? -1 : 1))
    .slice(0, Math.max(0, count))
    .sort((a, b) => a - b);
}

describe('the greatest scores', () => {
  it('are those that sorting finds', () => {
    const score = fc.oneof(
      fc.float(),
      fc.constantFrom(0, -0, 1, -1, NaN, Infinity, -Infinity, 1e-45, -1e-45),
      fc.integer({ min: -3, max: 3 }),
    );
    fc.assert(
      fc.property(fc.array(score, { maxLength: 300 }), fc.integer({ min: -1, max: 320 }), (values, count) => {
        const scores = Float32Array.from(values);
        expect([...topIndices(scores, count)]).toEqual(sorted(scores, count));
      }),
    );
  });

  it.each([
    ['all the same', new Float32Array(20_000).fill(-2)],
    ['rising', Float32Array.from({ length: 20_000 }, (_, index) => index)],
    ['falling', Float32Array.from({ length: 20_000 }, (_, index) => -index)],
  ])('are found when scores are %s', (_name, scores) => {
    expect([...topIndices(scores, 5000)]).toEqual(sorted(scores, 5000));
  });
});
