import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TOKEN_ORIGINS } from '../../core/contract';
import type { TextPiece } from '../../core/contract';
import { appendPieces, EMPTY_TEXT, isSameText, plainText } from './reply-text';

const pieces = fc.array(
  fc.record({
    text: fc.string({ unit: fc.constantFrom('a', 'b ', '\n', '<b>', '&', 'é'), maxLength: 12 }),
    tokens: fc.integer({ min: 1, max: 4 }),
    origin: fc.constantFrom(...TOKEN_ORIGINS),
  }),
  { maxLength: 80 },
);

const one = (text: string, origin: TextPiece['origin'] = 'accepted'): TextPiece => ({
  text,
  tokens: 1,
  origin,
});

describe('a reply’s text', () => {
  it('is what came, whatever pieces it came in', () => {
    fc.assert(
      fc.property(pieces, fc.integer({ min: 0, max: 80 }), (all, at) => {
        const whole = appendPieces(EMPTY_TEXT, all);
        const parts = appendPieces(appendPieces(EMPTY_TEXT, all.slice(0, at)), all.slice(at));
        expect(plainText(whole)).toBe(all.map(({ text }) => text).join(''));
        expect(parts).toEqual(whole);
        expect(isSameText(parts, whole)).toBe(true);
        for (const origin of TOKEN_ORIGINS) {
          const tokens = all.filter((piece) => piece.origin === origin).map((piece) => piece.tokens);
          expect(whole.tokens[origin]).toBe(tokens.reduce((sum, count) => sum + count, 0));
        }
      }),
    );
  });

  it('keeps each token under its own origin', () => {
    const text = appendPieces(EMPTY_TEXT, [one('a'), one('b'), one('c', 'bonus'), one('d\ne')]);
    expect(text.sections.flat().map((paragraph) => paragraph.flat())).toEqual([
      [
        { text: 'ab', tokens: 2, origin: 'accepted' },
        { text: 'c', tokens: 1, origin: 'bonus' },
        { text: 'd', tokens: 1, origin: 'accepted' },
      ],
      [{ text: 'e', tokens: 1, origin: 'accepted' }],
    ]);
  });

  it('changes only its end as it grows: the rest stays the same objects', () => {
    const lines = Array.from({ length: 60 }, (_, index) => one(`line ${index}\n`));
    const before = appendPieces(EMPTY_TEXT, lines);
    const after = appendPieces(before, [one('more')]);
    expect(before.sections.length).toBeGreaterThan(2);
    expect(after.sections.slice(0, -1)).toEqual(before.sections.slice(0, -1));
    before.sections.slice(0, -1).forEach((section, index) => expect(after.sections[index]).toBe(section));
    const [old, grown] = [before.sections.at(-1) ?? [], after.sections.at(-1) ?? []];
    old.slice(0, -1).forEach((paragraph, index) => expect(grown[index]).toBe(paragraph));
  });

  it('cuts a line without end into chunks, of which only the last grows', () => {
    const words = Array.from({ length: 500 }, (_, index) => one('word ', index % 2 ? 'accepted' : 'bonus'));
    const before = appendPieces(EMPTY_TEXT, words);
    const after = appendPieces(before, [one('more', 'full')]);
    const [old, grown] = [before.sections[0]?.[0] ?? [], after.sections[0]?.[0] ?? []];
    expect(old.length).toBeGreaterThan(10);
    old.slice(0, -1).forEach((chunk, index) => expect(grown[index]).toBe(chunk));
  });
});
