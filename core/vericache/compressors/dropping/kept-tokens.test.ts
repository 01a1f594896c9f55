import fc from 'fast-check';
import { expect, it } from 'vitest';
import { keptTokens, RECENT_TOKENS, SINK_TOKENS } from './kept-tokens';

const FORCED = SINK_TOKENS + RECENT_TOKENS;

it('the first tokens, the recent ones and the greatest between stay, in text order', () => {
  const scores = fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 400 });
  fc.assert(
    fc.property(scores, fc.integer({ min: FORCED, max: 200 }), (values, keep) => {
      const tokens = values.length;
      const kept = [...keptTokens(Float32Array.from(values), keep, RECENT_TOKENS)];
      expect(kept).toHaveLength(Math.min(keep, tokens));
      expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
      const forced = values
        .map((_, token) => token)
        .filter((token) => token < SINK_TOKENS || token >= tokens - RECENT_TOKENS);
      expect(kept).toEqual(expect.arrayContaining(forced));
      const gone = values.filter((_, token) => !kept.includes(token));
      const chosen = kept.filter((token) => !forced.includes(token)).map((token) => values[token]!);
      expect(Math.min(...chosen, Infinity)).toBeGreaterThanOrEqual(Math.max(...gone, -Infinity));
    }),
  );
});

it('what stays of a larger number holds what stays of a smaller', () => {
  const scores = fc.array(fc.float({ noNaN: true }), { minLength: 1, maxLength: 300 });
  const keep = fc.integer({ min: FORCED, max: 120 });
  fc.assert(
    fc.property(scores, keep, keep, (values, a, b) => {
      const kept = (count: number): number[] => [
        ...keptTokens(Float32Array.from(values), count, RECENT_TOKENS),
      ];
      expect(kept(Math.max(a, b))).toEqual(expect.arrayContaining(kept(Math.min(a, b))));
    }),
  );
});
