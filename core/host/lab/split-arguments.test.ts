import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { splitArguments } from './split-arguments';

const inSingle = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
const inDouble = (text: string): string => `"${text.replace(/["\\$`]/g, '\\$&')}"`;
/** Every character by itself; nothing can be escaped to be an empty argument. */
const escaped = (text: string): string => (text === '' ? "''" : text.replace(/[\s\S]/gu, '\\$&'));
const quoting = fc.constantFrom(inSingle, inDouble, escaped);

describe('splitArguments', () => {
  it('gives back what was quoted, however it was', () => {
    const part = fc.tuple(fc.string({ unit: 'grapheme' }), quoting);
    const gap = fc.constantFrom(' ', '\t', '\n', '  ', ' \t ');
    fc.assert(
      fc.property(fc.array(part), gap, (parts, between) => {
        const text = parts.map(([argument, quote]) => quote(argument)).join(between);
        expect(splitArguments(`${between}${text}${between}`)).toEqual(parts.map(([argument]) => argument));
      }),
    );
  });

  it('joins what stands together', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), quoting), { minLength: 1 }), (parts) => {
        const text = parts.map(([piece, quote]) => quote(piece)).join('');
        expect(splitArguments(text)).toEqual([parts.map(([piece]) => piece).join('')]);
      }),
    );
  });

  it.each<[string, readonly string[]]>([
    ['', []],
    [' \t\n', []],
    ['--lr 0.1  -v', ['--lr', '0.1', '-v']],
    [`a"b c"'d e'`, ['ab cd e']],
    [`"" ''`, ['', '']],
    ['"a\\nb" \'a\\nb\' a\\nb', ['a\\nb', 'a\\nb', 'anb']],
    ['"$HOME" *.py', ['$HOME', '*.py']],
    ['ends\\', ['ends\\']],
    // A space, but none to a shell.
    ['a\u00a0b', ['a\u00a0b']],
  ])('%j', (text, parts) => expect(splitArguments(text)).toEqual(parts));

  it.each(['"a', "a 'b", `'"`])('refuses %j', (text) => {
    expect(() => splitArguments(text)).toThrow(/expected a closing ["'], found the end/);
  });
});
