import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Sampler, type SamplingOptions } from './sampler';

const LOGITS = Float32Array.of(2, 1.5, 0.3, -1, 2.2, 0, 0.7, -2, 1.1, -0.4, 0.9, 1.9);
const DRAWS = 30_000;

/** By the definitions, from the softmax over all tokens. */
function exactProbabilities(logits: Float32Array, options: Omit<SamplingOptions, 'seed'>): number[] {
  const { temperature, topP = 1, minP = 0 } = options;
  const powers = [...logits].map((logit) => Math.exp(logit / temperature));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  const all = powers.map((power) => power / sum(powers));
  const best = Math.max(...all);
  const kept = all.map((p) => {
    const before = sum(all.filter((other) => other > p));
    return p >= minP * best && (topP === 1 || before < topP) ? p : 0;
  });
  return kept.map((p) => p / sum(kept));
}

/** Of the standard normal distribution, exceeded once in 10,000. */
const NORMAL_QUANTILE = 3.719;
/** Wilson and Hilferty's approximation. */
const chiSquareQuantile = (freedom: number): number =>
  freedom * (1 - 2 / (9 * freedom) + NORMAL_QUANTILE * Math.sqrt(2 / (9 * freedom))) ** 3;

describe('tokens are drawn by their probabilities', () => {
  it.each<Omit<SamplingOptions, 'seed'>>([
    { temperature: 1 },
    { temperature: 0.4 },
    { temperature: 3 },
    { temperature: 1, topP: 0.7 },
    { temperature: 1.5, minP: 0.3 },
    { temperature: 0.8, topP: 0.9, minP: 0.1 },
  ])('%j', (options) => {
    const sampler = new Sampler({ ...options, seed: 7 });
    const counts = new Array<number>(LOGITS.length).fill(0);
    for (let draw = 0; draw < DRAWS; draw += 1) counts[sampler.pick(LOGITS, draw)]! += 1;
    const probabilities = exactProbabilities(LOGITS, options);
    let chiSquare = 0;
    for (const [token, probability] of probabilities.entries()) {
      const expected = probability * DRAWS;
      if (probability === 0) expect(counts[token]).toBe(0);
      else chiSquare += (counts[token]! - expected) ** 2 / expected;
    }
    const freedom = probabilities.filter((probability) => probability > 0).length - 1;
    expect(freedom).toBeGreaterThan(1);
    expect(chiSquare).toBeLessThan(chiSquareQuantile(freedom));
  });
});

const logitsOf = fc
  .array(fc.float({ min: -30, max: 30, noNaN: true }), { minLength: 1, maxLength: 50 })
  .map((values) => Float32Array.from(values));
const seed = fc.integer({ min: 0, max: 0xffff_ffff });

describe('a pick', () => {
  it('without a temperature, or with the tightest cut, is the first of the best', () => {
    fc.assert(
      fc.property(logitsOf, seed, (logits, one) => {
        const best = logits.indexOf(Math.max(...logits));
        expect(new Sampler({ temperature: 0, seed: one }).pick(logits, 0)).toBe(best);
        // Logits may differ by less than probabilities can tell.
        for (const cut of [{ topP: 1e-9 }, { minP: 1 }]) {
          const picked = new Sampler({ temperature: 1, ...cut, seed: one }).pick(logits, 0);
          expect(Math.exp(logits[picked]! - logits[best]!)).toBe(1);
        }
      }),
    );
  });

  it('is the same with the same seed, and one that the cuts leave', () => {
    const share = fc.double({ min: 0.01, max: 1, noNaN: true });
    fc.assert(
      fc.property(logitsOf, seed, share, share, (logits, one, topP, minP) => {
        const options = { temperature: 0.7, topP, minP, seed: one };
        const picks = [new Sampler(options), new Sampler(options)].map((sampler) =>
          Array.from({ length: 5 }, (_, index) => sampler.pick(logits, index)),
        );
        expect(picks[0]).toEqual(picks[1]);
        const best = Math.max(...logits);
        for (const token of picks[0]!) {
          expect(Math.exp((logits[token]! - best) / 0.7)).toBeGreaterThanOrEqual(minP);
        }
      }),
    );
  });

  it('of logits that are no numbers is refused', () => {
    const sampler = new Sampler({ temperature: 1, seed: 1 });
    expect(() => sampler.pick(Float32Array.of(NaN, NaN), 0)).toThrow(/NaN as its best logit/);
  });
});

it('names all options out of their range', () => {
  expect(() => new Sampler({ temperature: -1, topP: 0, minP: 2, seed: 1.5 })).toThrow(
    'temperature: expected 0 or more, found -1; top-p: expected more than 0 and at most 1, found 0; ' +
      'min-p: expected 0 to 1, found 2; seed: expected a whole number from 0 to 4294967295, found 1.5.',
  );
});
