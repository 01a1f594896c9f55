import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { parseFilter } from './filter';

describe('parseFilter', () => {
  it.each([
    ['', []],
    ['  ', []],
    ["name = 'a'", [['attribute', 'name', '=', 'a']]],
    ["name='a'", [['attribute', 'name', '=', 'a']]],
    ['name ILIKE "%A_"', [['attribute', 'name', 'ILIKE', '%A_']]],
    ["attribute.name != 'it''s'", [['attribute', 'name', '!=', "it's"]]],
    ["attributes.`name` like 'AND'", [['attribute', 'name', 'LIKE', 'AND']]],
    ["tags.owner = 'me'", [['tag', 'owner', '=', 'me']]],
    ["tag.`mlflow.prompt.is_prompt` = 'true'", [['tag', 'mlflow.prompt.is_prompt', '=', 'true']]],
    ['tags."two words" = \'x\'', [['tag', 'two words', '=', 'x']]],
    ["tags.a.b/c-d = 'x'", [['tag', 'a.b/c-d', '=', 'x']]],
    ['version_number >= 3', [['attribute', 'version_number', '>=', 3]]],
    [
      "version_number<-3 AND name = 'a'",
      [
        ['attribute', 'version_number', '<', -3],
        ['attribute', 'name', '=', 'a'],
      ],
    ],
    ["run_id IN ('a', 'b')", [['attribute', 'run_id', 'IN', ['a', 'b']]]],
    ["run_id not  in('a')", [['attribute', 'run_id', 'NOT IN', ['a']]]],
    [
      "name = 'a' and tags.b != 'c'\nAND run_id = 'd'",
      [
        ['attribute', 'name', '=', 'a'],
        ['tag', 'b', '!=', 'c'],
        ['attribute', 'run_id', '=', 'd'],
      ],
    ],
  ])('reads %s', (filter, conditions) => {
    const read = parseFilter(filter).map(({ kind, key, comparator, value }) => [
      kind,
      key,
      comparator,
      value,
    ]);
    expect(read).toEqual(conditions);
  });

  it.each([
    [
      'name',
      'at character 4: expected a comparison (=, !=, <, <=, >, >=, LIKE, ILIKE, IN, NOT IN), found its end',
    ],
    ['= 1', 'at character 0: expected an attribute or a tag like tags.owner, found "= 1"'],
    ["name == 'a'", `at character 6: expected a value in quotes ('...'), found "= 'a'"`],
    ['name = a', `at character 6: expected a value in quotes ('...'), found "a"`],
    ["name = 'a", `at character 6: expected a value in quotes ('...'), found "'a"`],
    ['version_number = 1.5', `expected a value in quotes ('...'), found "1.5"`],
    ["name = 'a' OR name = 'b'", `expected "AND" and another comparison, or the end, found "OR name = 'b'"`],
    ["name = 'a'; DROP TABLE registry_models", 'found "; DROP TABLE registry_models"'],
    ["name = 'a' AND", 'expected "AND" and another comparison, or the end, found "AND"'],
    ["name = 'a' AND ", 'expected an attribute or a tag like tags.owner, found its end'],
    ["metrics.loss = '1'", 'expected "tags." or "attributes." instead of "metrics"'],
    ["run_id IN 'a'", `expected a list like ('a', 'b'), found "'a'"`],
    ['run_id IN ()', `expected a value in quotes ('...'), found ")"`],
    ["run_id IN ('a'", 'expected ")" after the list, found its end'],
    ['x'.repeat(10_001), 'Filter: expected at most 10000 characters, found 10001'],
    [Array(101).fill("name = 'a'").join(' AND '), 'expected at most 100 comparisons'],
  ])('refuses %s', (filter, message) => {
    expect(() => parseFilter(filter)).toThrow(
      expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(message) as string }),
    );
  });

  it('reads whatever a value holds, and fails on the rest in one way only', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(parseFilter(`name = '${value.replaceAll("'", "''")}'`)).toMatchObject([{ value }]);
        try {
          parseFilter(value);
        } catch (error) {
          expect(error).toBeInstanceOf(SluiceError);
        }
      }),
    );
  });
});
