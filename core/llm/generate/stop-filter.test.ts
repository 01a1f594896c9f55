import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { StopFilter } from './stop-filter';

/** The text before the stop string that ends first, letter by letter. */
function cutNaively(text: string, stops: readonly string[]): string {
  for (let end = 1; end <= text.length; end += 1) {
    const found = stops.filter((stop) => stop !== '' && text.slice(0, end).endsWith(stop));
    if (found.length > 0) return text.slice(0, end - Math.max(...found.map((stop) => stop.length)));
  }
  return text;
}

const letters = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 12 });
const stopList = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 4 }), {
  maxLength: 3,
});

describe('a stop filter', () => {
  it('lets through the same text however it is cut, and never a part of the stop string', () => {
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 6 }), stopList, (pieces, stops) => {
        const filter = new StopFilter(stops);
        const expected = cutNaively(pieces.join(''), stops);
        let shown = '';
        for (const piece of pieces) {
          shown += filter.push(piece);
          expect(expected.startsWith(shown)).toBe(true);
        }
        expect(filter.stopped).toBe(expected !== pieces.join(''));
        expect(shown + filter.end()).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('holds nothing back that no stop string begins with', () => {
    const filter = new StopFilter(['\n\nUser:', '']);
    expect(filter.push('Yes.\n')).toBe('Yes.');
    expect(filter.push('No.')).toBe('\nNo.');
    expect(filter.push('\n\nUs')).toBe('');
    expect(filter.push('er: hi')).toBe('');
    expect(filter.stopped).toBe(true);
  });
});
