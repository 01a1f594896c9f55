import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { promptLookup } from './prompt-lookup';

describe('prompt lookup', () => {
  it('proposes what followed the longest repetition, of equals the latest', () => {
    const { propose } = promptLookup();
    expect(propose([1, 2, 3, 4, 5, 9, 1, 2, 3], 3)).toEqual([4, 5, 9]);
    // Three tokens repeat twice; four do once.
    expect(propose([7, 1, 2, 3, 4, 8, 1, 2, 3, 5, 7, 1, 2, 3], 1)).toEqual([4]);
    expect(propose([8, 1, 2, 3, 4, 9, 1, 2, 3, 5, 7, 1, 2, 3], 1)).toEqual([5]);
    expect(propose([1, 2, 3, 4], 3)).toEqual([]);
    expect(propose([1, 2], 3)).toEqual([]);
  });

  it('gives tokens that stand in the text behind three that equal the last three, also as the text changes', () => {
    const lookup = promptLookup();
    const text = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 60 });
    fc.assert(
      fc.property(text, fc.integer({ min: 1, max: 8 }), (tokens, limit) => {
        const proposed = [...(lookup.propose(tokens, limit) as readonly number[])];
        expect(proposed.length).toBeLessThanOrEqual(limit);
        const key = tokens.slice(-3).join();
        const ends = tokens.flatMap((_, end) =>
          end >= 3 && tokens.slice(end - 3, end).join() === key ? [end] : [],
        );
        if (proposed.length === 0) expect(ends).toEqual([]);
        else {
          const found = ends.some((end) => tokens.slice(end, end + limit).join() === proposed.join());
          expect(found).toBe(true);
        }
      }),
    );
  });
});
