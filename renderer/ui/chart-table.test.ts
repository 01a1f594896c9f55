import { describe, expect, it } from 'vitest';

import { columnDecimals, columnSummary, tableCsv } from './chart-table';

describe('a chart as a table', () => {
  it('is CSV that spreadsheets read as figures and never as formulas', () => {
    const csv = tableCsv({
      columns: ['Budget, MB', 'say "ms"'],
      rows: [
        [98.5, 44.25],
        [null, Number.NaN],
        ['=1+1', -2],
      ],
    });
    expect(csv).toBe('"Budget, MB","say ""ms"""\r\n98.5,44.25\r\n,\r\n\'=1+1,-2\r\n');
  });

  it('is summed up without its gaps', () => {
    const rows = [
      [1, null],
      [2, 5],
      [3, 1],
      [4, Number.NaN],
      [5, 3],
    ];
    expect(columnSummary(rows, 1)).toEqual({ count: 3, least: 1, most: 5, last: 3 });
    expect(columnSummary([[1, null]], 1)).toBeUndefined();
  });
});

it.each([
  ['whole numbers', [1, 20, Number.NaN], 0],
  ['shares', [0.25, 1], 4],
  ['milliseconds', [3.25, 120], 2],
  ['large ones', [0.5, 12_000], 1],
  ['no number', ['a', null], 0],
])('decimals of %s', (_what, values, decimals) => {
  expect(
    columnDecimals(
      values.map((value) => [value]),
      0,
    ),
  ).toBe(decimals);
});
