import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { printable } from './printable';

describe('what a terminal is given', () => {
  it.each([
    ['plain, \u00fcml\u00e4ut, \u4e2d, \ud83d\ude80\n\tand lines\r\n', undefined],
    ['\u001b[2J\u001b[1;1Hall gone', '\\u001b[2J\\u001b[1;1Hall gone'],
    ['\u001b]0;title\u0007', '\\u001b]0;title\\u0007'],
    ['\u001b]52;c;cm0gLXJm\u001b\\', '\\u001b]52;c;cm0gLXJm\\u001b\\'],
    ['\u009b31m', '\\u009b31m'],
    ['right\rwrong', 'right\\u000dwrong'],
    ['a\bb\u007f', 'a\\u0008b\\u007f'],
    ['model\u202egnp.exe', 'model\\u202egnp.exe'],
    ['\u2066x\u2069\u200f', '\\u2066x\\u2069\\u200f'],
  ])('%j', (text, shown) => {
    expect(printable(text)).toBe(shown ?? text);
  });

  it('keeps the colours of a log, and nothing else', () => {
    expect(printable('\u001b[1;32mok\u001b[0m 50%\r60%', 'colours')).toBe('\u001b[1;32mok\u001b[0m 50%\r60%');
    expect(printable('\u001b[6n\u001b[31', 'colours')).toBe('\\u001b[6n\\u001b[31');
  });

  it('leaves JSON the same value', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const printed = printable(JSON.stringify({ text }, null, 2));
        expect(JSON.parse(printed)).toEqual({ text });
        expect(printed).toMatch(/^[^\u0080-\u009f\u202a-\u202e\u007f]*$/);
      }),
    );
  });
});
