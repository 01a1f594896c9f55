import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { readCsv } from './csv';
import type { CellValue } from './evaluators/evaluator';
import { evaluatorNamed, EVALUATOR_NAMES } from './evaluators/registry';
import { scorePredictions } from './score-predictions';

const csv = (text: string): { format: 'csv'; text: string } => ({ format: 'csv', text });
const jsonl = (text: string): { format: 'jsonl'; text: string } => ({ format: 'jsonl', text });
const named = (name: string): NonNullable<ReturnType<typeof evaluatorNamed>> => {
  const evaluator = evaluatorNamed(name);
  if (!evaluator) throw new Error(name);
  return evaluator;
};
const table = (column: string, values: readonly CellValue[]): { format: 'jsonl'; text: string } =>
  jsonl(values.map((value, id) => JSON.stringify({ id, [column]: value })).join('\n'));

describe('the built-in evaluators', () => {
  it.each<[string, CellValue[], CellValue[], number]>([
    ['accuracy', ['cat', 'dog', '1', 'dog'], ['cat', 'cat', 1, 'dog'], 3 / 4],
    // Of cat: 1 hit, 1 answered, 2 predicted; of dog: 1 hit, 2 answered, 1 predicted; of eel: predicted, never right.
    ['macro-f1', ['cat', 'dog', 'dog', 'cow'], ['cat', 'cat', 'dog', 'eel'], (2 / 3 + 2 / 3 + 0 + 0) / 4],
    ['rmse', [1, 2, '3.5'], [1, 4, '2.5e0'], Math.sqrt(5 / 3)],
    ['mae', [1, -2, 3], [2, -4, 3], 1],
    ['edit-distance', ['kitten', 'ä', ''], ['sitting', 'a\u0308', 'ab'], 5 / 3],
    ['edit-distance', [[1, 2, 3]], [[2, 3, 4]], 2],
    ['token-accuracy', ['the cat sat', ''], ['the  dog sat down', ''], (2 / 4 + 1) / 2],
    ['token-accuracy', [['a', 'b']], [['a']], 1 / 2],
  ])('%s of %j and %j', (name, answers, predictions, score) => {
    const got = scorePredictions(named(name), table('answer', answers), table('prediction', predictions));
    expect(got).toBeCloseTo(score, 12);
  });

  it.each(EVALUATOR_NAMES)('%s gives its best score for the answers themselves, in any order', (name) => {
    const best = named(name).direction === 'max' ? 1 : 0;
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -99, max: 99 }), { minLength: 1 }), (values) => {
        const rows = values.map((value, id) => JSON.stringify({ id, prediction: value })).reverse();
        const score = scorePredictions(named(name), table('answer', values), jsonl(rows.join('\r\n')));
        expect(score).toBe(best);
      }),
    );
  });

  it('edit-distance is a metric', () => {
    const text = fc.string({ maxLength: 12, unit: fc.constantFrom('a', 'b', 'c') });
    const distance = (a: string, b: string): number => named('edit-distance').score([a], [b]);
    fc.assert(
      fc.property(text, text, text, (a, b, c) => {
        expect(distance(a, b)).toBe(distance(b, a));
        expect(distance(a, b) === 0).toBe(a === b);
        expect(distance(a, c)).toBeLessThanOrEqual(distance(a, b) + distance(b, c));
        expect(distance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });
});

describe('predictions', () => {
  const answers = csv('id,answer\na,1\nb,2\nc,3\n');

  it.each([
    [
      'a quoted file with a mark and CRLF',
      csv('\uFEFFid,note,"prediction"\r\na,"x, ""y""\n",1\r\nb,,2\r\n\r\nc,,3\r\n'),
    ],
    [
      'JSON lines',
      jsonl('{"id":"a","prediction":1}\n\n{"prediction":"2","id":"b"}\r\n{"id":"c","prediction":3.0}'),
    ],
    ['a file without a last line end', csv('prediction,id\n1,a\n2,b\n3,c')],
  ])('are read from %s', (_what, predictions) => {
    expect(scorePredictions(named('mae'), answers, predictions)).toBe(0);
  });

  it.each([
    ['nothing', csv(''), /the file is empty/],
    ['no lines', jsonl('\n\n'), /the file is empty/],
    [
      'no header',
      csv('a,1\nb,2\nc,3'),
      /row 1: expected a header with the columns id and prediction, found "a,1"/,
    ],
    [
      'a missing cell',
      csv('id,prediction\na,1\nb\nc,3'),
      /row 3: expected 2 cells as in the header, found 1; no prediction for "b"/,
    ],
    ['an open quote', csv('id,prediction\na,1\nb,"2\nc,3'), /row 3: a quote is not closed/],
    [
      'text after a quote',
      csv('id,prediction\na,"1"x'),
      /row 2: a quote is not closed, or stands in the middle/,
    ],
    ['an id twice', csv('id,prediction\na,1\nb,2\na,1\nc,3'), /row 4: the id "a" was in row 2 already/],
    ['an empty id', csv('id,prediction\na,1\n,2\nb,2\nc,3'), /row 3: the id is empty/],
    ['missing ids', csv('id,prediction\nb,2'), /no prediction for "a", "c"/],
    ['an unknown id', csv('id,prediction\na,1\nb,2\nc,3\nd,4'), /row 5: the competition has no id "d"/],
    [
      'a word for a number',
      csv('id,prediction\na,one\nb,\nc,3'),
      /row 2: the prediction of "a": expected a finite number, found "one"; row 3: the prediction of "b": .* found ""/,
    ],
    [
      'an infinite number',
      jsonl('{"id":"a","prediction":1e999}\n{"id":"b","prediction":2}\n{"id":"c","prediction":3}'),
      /row 1: /,
    ],
    ['broken JSON', jsonl('{"id":"a"'), /row 1: no JSON, "\{\\"id\\":\\"a\\""/],
    ['a list instead of an object', jsonl('[1,2]'), /row 1: /],
    [
      'a nested prediction',
      jsonl('{"id":"a","prediction":{"x":1}}'),
      /row 1: prediction: expected a text, a number/,
    ],
  ])('are refused with %s', (_what, predictions, message) => {
    expect(() => scorePredictions(named('mae'), answers, predictions)).toThrow(message);
  });

  it('name ten faults and count the rest', () => {
    const many = Array.from({ length: 30 }, (_, row) => `x${row},1`).join('\n');
    expect(() => scorePredictions(named('mae'), answers, csv(`id,prediction\n${many}`))).toThrow(
      /; and 21 more\.$/,
    );
  });

  it('count for the rows that are asked for alone', () => {
    expect(scorePredictions(named('mae'), answers, csv('id,prediction\nb,4\na,1\nc,99'), ['a', 'b'])).toBe(1);
    expect(() => scorePredictions(named('mae'), answers, csv('id,prediction\na,1'), ['a', 'b'])).toThrow(
      /for "b"/,
    );
  });

  it('never get to see an answer, even an unusable one', () => {
    const secret = csv('id,answer\na,secret\nb,2\nb,3');
    const error = (() => {
      try {
        return scorePredictions(named('mae'), secret, csv('id,prediction\na,1\nb,2'));
      } catch (thrown) {
        return thrown as SluiceError;
      }
    })();
    expect(error).toBeInstanceOf(SluiceError);
    expect(JSON.stringify((error as SluiceError).toWire())).not.toMatch(/secret|row/);
    expect((error as SluiceError).code).toBe('internal');
  });

  it('of a CSV come back as they were written', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', ',', '"', '\n', '\r\n', ' ', 'ü') });
    const rows = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { minLength: 1 });
    fc.assert(
      fc.property(rows, fc.constantFrom('\n', '\r\n'), fc.boolean(), (cells, end, isEnded) => {
        const text = cells
          .map((row) => row.map((one) => `"${one.replaceAll('"', '""')}"`).join(','))
          .join(end);
        const read = readCsv(isEnded ? text + end : text);
        expect(read).toEqual({ rows: cells.map((row, index) => ({ row: index + 1, cells: row })) });
      }),
    );
  });

  it('with a cell of megabytes are read', () => {
    const read = readCsv(`id,prediction\na,"${'x""'.repeat(2 ** 21)}"`);
    expect('rows' in read && read.rows[1]?.cells[1]?.length).toBe(2 ** 22);
  });
});
