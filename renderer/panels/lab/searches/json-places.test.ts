import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { jsonPlaces, lineAndColumn, placeOf } from './json-places';
import { EXAMPLE_SEARCH } from './example-search';
import { searchFaults } from './search-faults';

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('places in JSON', () => {
  it('are found of every value', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 2), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), null, indent);
        const { fault, places } = jsonPlaces(text);
        expect(fault).toBeUndefined();
        expect(places.has('')).toBe(true);
      }),
    );
  });

  it('have a fault just where JSON.parse has one', () => {
    const texts = fc.tuple(fc.json(), fc.nat(), fc.constantFrom('', '}', '"', ',', ' x', '\\', '01', '\n'));
    fc.assert(
      fc.property(texts, ([json, at, junk]) => {
        const cut = at % (json.length + 1);
        const text = json.slice(0, cut) + junk + json.slice(cut + 1);
        expect(jsonPlaces(text).fault === undefined).toBe(isJson(text));
      }),
    );
  });

  it.each([
    ['', 1, 1, 'expected a value, found the end'],
    ['{\n  "a": 1\n  "b": 2\n}', 3, 3, 'expected a comma or }, found "b":'],
    ['{\n  a: 1\n}', 2, 3, 'expected a name in double quotes, found a:'],
    ['[1, 2', 1, 6, 'expected a comma or ], found the end'],
    ['{"a" 1}', 1, 6, 'expected a colon, found 1}'],
    ['{"a": 01}', 1, 7, 'expected a value, found 01}'],
    ['{} x', 1, 4, 'expected the end, found x'],
    ['["open]', 1, 2, 'the text is not closed, or has a sign that needs a \\, found "open]'],
  ])('says of %j where and what', (text, line, column, message) => {
    expect(searchFaults(text)).toEqual([expect.objectContaining({ line, column, message })]);
  });

  it('are those of the lab’s faults, or of what is around them', () => {
    const text = '{"space": {"lr": {"min": 2}}, "first": [{"lr": 1}]}';
    const { places } = jsonPlaces(text);
    expect(text.slice(placeOf(places, 'space.lr.min'))).toMatch(/^2/);
    expect(text.slice(placeOf(places, 'space.lr.max'))).toMatch(/^\{"min"/);
    expect(text.slice(placeOf(places, 'first.0.lr'))).toMatch(/^1/);
    expect(placeOf(places, 'budget')).toBe(0);
    expect(lineAndColumn('a\nbc', 3)).toEqual({ line: 2, column: 2 });
    const faults = ['space.lr.min: expected less', 'budget: expected a number', 'trials.folder: not there'];
    const found = searchFaults(text, { code: 'bad-input', message: '', details: { faults } });
    expect(found.map(({ column, message }) => [column, message])).toEqual([
      [26, 'space.lr.min: expected less'],
      [1, 'budget: expected a number'],
    ]);
  });

  it('the example is JSON', () => expect(searchFaults(EXAMPLE_SEARCH)).toEqual([]));
});
