import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ROOM_TOKENS } from '../room';
import { evenCapacities, pyramidCapacities } from './row-budget';

const total = (rows: readonly number[]): number => rows.reduce((sum, count) => sum + count, 0);
const contexts = fc.record({
  layers: fc.integer({ min: 1, max: 80 }),
  maxTokens: fc.integer({ min: 1, max: 40_000 }),
  ratio: fc.double({ min: 1.01, max: 20, noNaN: true }),
});

describe('rows', () => {
  it('fit what the ratio leaves, wherever the room for new tokens does', () => {
    fc.assert(
      fc.property(contexts, (options) => {
        for (const capacities of [evenCapacities(options), pyramidCapacities(options)]) {
          expect(capacities).toHaveLength(options.layers);
          const allowed = Math.max(384, options.maxTokens / options.ratio) * options.layers;
          expect(total(capacities)).toBeLessThanOrEqual(allowed);
          for (const rows of capacities) {
            expect(rows % 128).toBe(0);
            expect(rows - ROOM_TOKENS).toBeGreaterThanOrEqual(64);
          }
        }
      }),
    );
  });

  it('of a pyramid fall, and are as many in all', () => {
    fc.assert(
      fc.property(contexts, (options) => {
        const capacities = pyramidCapacities(options);
        expect(capacities).toEqual(capacities.toSorted((a, b) => b - a));
        expect(total(capacities)).toBe(total(evenCapacities(options)));
        expect(capacities[0]).toBeLessThanOrEqual(
          Math.max(options.maxTokens + ROOM_TOKENS + 128, evenCapacities(options)[0]!),
        );
      }),
    );
  });

  it('of SmolLM2 at 8192 tokens and a ratio of 4', () => {
    const options = { layers: 30, maxTokens: 8192, ratio: 4 };
    expect(new Set(evenCapacities(options))).toEqual(new Set([2048]));
    const pyramid = pyramidCapacities(options);
    // 2 x 1728 - 86 rows and 320 of room, in steps of 128; then 86 and the room.
    expect([pyramid[0], pyramid.at(-1)]).toEqual([3712, 384]);
  });

  it.each([1, 0.5, 0, -4, NaN, Infinity])('are refused for a ratio of %d', (ratio) => {
    const options = { layers: 2, maxTokens: 1024, ratio };
    expect(() => evenCapacities(options)).toThrow(
      `Expected a compression ratio above 1, such as 4; found ${ratio}.`,
    );
  });
});
