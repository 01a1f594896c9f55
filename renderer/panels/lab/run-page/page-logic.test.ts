import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { laidOut, parseRows, previewKind } from './artifacts/preview-text';
import { argumentLines, parseVariables, shellQuoted, shellWords } from './shell-words';

describe('arguments', () => {
  it('are the same after they were quoted and parted', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme-ascii' })), (words) => {
        expect(shellWords(shellQuoted(words))).toEqual(words);
      }),
    );
  });

  it.each([
    ['A=1 B="two words"', { variables: { A: '1', B: 'two words' } }],
    ['', { variables: {} }],
    ['A=1 nonsense', { bad: 'nonsense' }],
    ['1A=x', { bad: '1A=x' }],
  ])('of %j give variables, or the word that is none', (text, expected) =>
    expect(parseVariables(text)).toEqual(expected),
  );
});

it('lays arguments out by option; a negative figure is none', () => {
  expect(argumentLines(['train', 'now', '--lr', '0.1', '-v', '--shift', '-1', '--x=2'])).toEqual([
    ['train', 'now'],
    ['--lr', '0.1'],
    ['-v'],
    ['--shift', '-1'],
    ['--x=2'],
  ]);
  expect(argumentLines([])).toEqual([]);
});

describe('a look at an artifact', () => {
  it.each([
    ['a.png', 'image/png', 'picture'],
    ['a.svg', 'image/svg+xml', 'none'],
    ['a.csv', 'application/octet-stream', 'table'],
    ['a.json', 'application/json', 'text'],
    ['train.py', 'application/octet-stream', 'text'],
    ['model.onnx', 'application/octet-stream', 'none'],
  ])('of %s (%s) is a %s', (path, mime, kind) => expect(previewKind(path, mime)).toBe(kind));

  it('parts rows as they were put together', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', ' '), maxLength: 6 });
    const row = fc.array(cell, { minLength: 2, maxLength: 4 });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 5 }), (rows) => {
        const text = rows
          .map((cells) => cells.map((each) => `"${each.replaceAll('"', '""')}"`).join(','))
          .join('\n');
        expect(parseRows(text, ',', 100)).toEqual(rows);
      }),
    );
    expect(parseRows('a,b\n1,2\n3,4\n', ',', 2)).toEqual([
      ['a', 'b'],
      ['1', '2'],
    ]);
  });

  it('lays JSON out, and leaves what was cut short', () => {
    expect(laidOut('a.json', '{"b":1}')).toBe('{\n  "b": 1\n}');
    expect(laidOut('a.json', '{"b":')).toBe('{"b":');
  });
});
