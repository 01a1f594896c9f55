import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ctcGreedyDecode, parseOcrKeys } from './ctc';

const alphabet = parseOcrKeys('a\nb\nc\n中\n文');
const classes = alphabet.length;
const SPACE = classes - 1;

/** One row a class index, with this probability; the rest goes to the blank. */
function rows(path: readonly number[], probability = 0.9): number[] {
  return path.flatMap((best) => {
    const row = Array<number>(classes).fill(0);
    row[0] = 1 - probability;
    row[best] = probability;
    return row;
  });
}

describe('parseOcrKeys', () => {
  it('puts the blank first and a space last, whatever the line ends', () => {
    expect(parseOcrKeys('x\r\ny\r\n')).toEqual(['', 'x', 'y', ' ']);
    expect(() => parseOcrKeys('\n')).toThrow(/key file is empty/);
  });
});

describe('ctcGreedyDecode', () => {
  it.each([
    ['merges repeats', [1, 1, 2, 2, 2], 'ab'],
    ['keeps a letter doubled across a blank', [1, 0, 1], 'aa'],
    ['drops blanks', [0, 0, 3, 0], 'c'],
    ['reads a space that wins its step', [1, SPACE, 2], 'a b'],
    ['reads nothing from blanks', [0, 0, 0], ''],
  ])('%s', (_name, path, text) => {
    const decoded = ctcGreedyDecode(rows(path), path.length, alphabet);
    expect(decoded.text).toBe(text);
    expect(decoded.confidence).toBeCloseTo(text === '' ? 0 : 0.9);
  });

  it.each([
    ['puts a space where a gap hints at one', [1, 0, 0, 2], 0.03, 'a b'],
    ['not where the hint is faint', [1, 0, 0, 2], 0.004, 'ab'],
    ['not beside an ideograph', [4, 0, 0, 5], 0.2, '中文'],
    ['not before the first letter or after the last', [0, 1, 0], 0.3, 'a'],
    ['not twice', [1, 0, SPACE, 0, 2], 0.2, 'a b'],
  ])('%s', (_name, path, hint, text) => {
    const probabilities = rows(path);
    path.forEach((best, step) => {
      if (best === 0) probabilities[step * classes + SPACE] = hint;
    });
    expect(ctcGreedyDecode(probabilities, path.length, alphabet).text).toBe(text);
  });

  it('reads back any text that is spelled with a blank between letters and held for any time', () => {
    const letter = fc.record({
      best: fc.integer({ min: 1, max: SPACE }),
      held: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(letter, { maxLength: 30 }), (letters) => {
        const path = letters.flatMap(({ best, held }) => [...Array<number>(held).fill(best), 0]);
        const decoded = ctcGreedyDecode(rows(path), path.length, alphabet);
        expect(decoded.text).toBe(letters.map(({ best }) => alphabet[best]).join(''));
        expect(decoded.confidence).toBeLessThanOrEqual(1);
      }),
    );
  });
});
