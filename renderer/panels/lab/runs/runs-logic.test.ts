import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { LabRunRow } from '../../../../core/contract';
import { DEFAULT_TABLE_LAYOUT } from '../../../stores';
import { fakeRunId, fakeRunRow, fakeRuns } from '../../../test-support/fake-lab';
import { formatDuration, formatMetric, formatTaken } from '../lab-format';
import { toggled, withRange } from './choice';
import { columnsOf, tracksOf } from './columns';
import { groupRuns, tableItems } from './group-runs';
import { filterRows, loggedNames, textParams } from './run-values';
import { compareKeys, sortKey, sortRuns } from './sort-runs';
import { headOf, movedTo } from './table-keys';

const RUNS = fakeRuns(300);
const withMetrics = (...values: readonly (number | undefined)[]): readonly LabRunRow[] =>
  values.map((loss, index) =>
    fakeRunRow({ runId: fakeRunId(index), name: `r${index}`, metrics: loss === undefined ? {} : { loss } }),
  );
const lossOf = (rows: readonly LabRunRow[]) => rows.map(({ metrics }) => metrics['loss']);

describe('sorting', () => {
  it('puts NaN and what is absent last, in either direction', () => {
    const rows = withMetrics(NaN, 2, undefined, -Infinity, 10, Infinity);
    const by = (isDescending: boolean) => lossOf(sortRuns(rows, { key: 'metrics.loss', isDescending }, 0));
    expect(by(false)).toEqual([-Infinity, 2, 10, Infinity, NaN, undefined]);
    expect(by(true)).toEqual([Infinity, 10, 2, -Infinity, NaN, undefined]);
  });

  it.each([
    ['9', '10', -1],
    ['1e-5', '0.0001', -1],
    ['digits/9', 'digits/10', -1],
    ['Digits/9', 'digits/9', 0],
    ['7', 'adam', -1],
    ['v1.2.10', 'v1.2.9', 1],
  ])('takes numbers in texts as numbers: %s against %s', (a, b, expected) =>
    expect(compareKeys(sortKey(a), sortKey(b), false)).toBe(expected),
  );

  it('orders all values one way: never a < b < c < a', () => {
    const value = fc.oneof(fc.double(), fc.string(), fc.constant(undefined), fc.integer().map(String));
    fc.assert(
      fc.property(value, value, value, fc.boolean(), (a, b, c, isDescending) => {
        const compare = (x: typeof a, y: typeof a): number =>
          Math.sign(compareKeys(sortKey(x), sortKey(y), isDescending));
        expect(compare(a, b) + compare(b, a)).toBe(0);
        if (compare(a, b) <= 0 && compare(b, c) <= 0) expect(compare(a, c)).toBeLessThanOrEqual(0);
      }),
    );
  });

  it('keeps equal rows in the order they came in', () => {
    const names = sortRuns(RUNS, { key: 'user', isDescending: false }, 0)
      .filter(({ user }) => user === 'ben')
      .map(({ runId }) => runId);
    expect(names).toEqual(RUNS.filter(({ user }) => user === 'ben').map(({ runId }) => runId));
  });
});

describe('groups', () => {
  it.each(['user', 'state', 'parent', 'search', 'params.optimiser', 'params.none'])(
    'by %s hold every run once',
    (key) => {
      const groups = groupRuns(RUNS, key);
      expect(groups.reduce((sum, { rows }) => sum + rows.length, 0)).toBe(RUNS.length);
      for (const { rows, states } of groups)
        expect([...states.values()].reduce((sum, count) => sum + count, 0)).toBe(rows.length);
    },
  );

  it('without a value come last', () =>
    expect(
      groupRuns(RUNS, 'search')
        .map(({ value }) => value)
        .indexOf(undefined),
    ).toBe(groupRuns(RUNS, 'search').length - 1));

  it('that are closed show their head alone', () => {
    const open = tableItems(RUNS, 'user', new Set());
    const closed = tableItems(RUNS, 'user', new Set(['=ana']));
    const ana = RUNS.filter(({ user }) => user === 'ana').length;
    expect(open.length - closed.length).toBe(ana);
    const at = open.findIndex((item) => item.kind === 'run' && item.row.user === 'ben');
    expect(open[headOf(open, at) ?? -1]).toMatchObject({ kind: 'group', group: { value: 'ben' } });
  });
});

describe('the quick filter', () => {
  it.each([
    ['FAILED ana', (row: LabRunRow) => row.state === 'failed' && row.user === 'ana'],
    [
      'optimiser=sgd layers=3',
      ({ params }: LabRunRow) => params['optimiser'] === 'sgd' && params['layers'] === '3',
    ],
    ['team=vision', ({ tags }: LabRunRow) => tags['team'] === 'vision'],
    ['  ', () => true],
  ])('keeps runs that hold every word: %j', (words, holds) => {
    const kept = filterRows(RUNS, words);
    expect(kept.length).toBeGreaterThan(0);
    for (const row of kept) expect(holds(row)).toBe(true);
    expect(kept.length).toBe(RUNS.filter(holds).length);
  });
});

describe('keys and choices', () => {
  it('never move out of the table', () => {
    const keys = fc.constantFrom('ArrowDown', 'ArrowUp', 'PageDown', 'PageUp', 'Home', 'End');
    fc.assert(
      fc.property(
        keys,
        fc.integer({ min: -1, max: 50 }),
        fc.integer({ min: 1, max: 51 }),
        (key, at, count) => {
          const to = movedTo(key, Math.min(at, count - 1), count, 10);
          expect(to).toBeGreaterThanOrEqual(0);
          expect(to).toBeLessThan(count);
        },
      ),
    );
  });

  it('take a range without its heads, and undo a choice of all', () => {
    const ids = [undefined, 'a', 'b', undefined, 'c'];
    expect([...withRange(new Set(['z']), ids, 4, 1)].sort()).toEqual(['a', 'b', 'c', 'z']);
    expect([...toggled(new Set(['a']), ['a', 'b'])]).toEqual(['a', 'b']);
    expect([...toggled(new Set(['a', 'b']), ['a', 'b'])]).toEqual([]);
  });
});

describe('columns', () => {
  it('begin with the name and those that stay, each at its distance from the left', () => {
    const columns = columnsOf(
      {
        ...DEFAULT_TABLE_LAYOUT,
        columns: ['user', 'metrics.loss', 'nonsense', 'user'],
        pinned: ['metrics.loss'],
      },
      new Set(),
    );
    expect(columns.map(({ key, pinnedPx }) => [key, pinnedPx])).toEqual([
      ['name', 40],
      ['metrics.loss', 230],
      ['user', undefined],
    ]);
    expect(tracksOf(columns)).toBe('40px 190px 92px minmax(76px, 1fr)');
  });

  it('know parameters that hold words, and all names', () => {
    expect(textParams(RUNS, ['params.lr', 'params.optimiser', 'user'])).toEqual(['params.optimiser']);
    expect(loggedNames(RUNS)).toEqual({
      params: ['batch', 'layers', 'lr', 'optimiser'],
      metrics: ['accuracy', 'loss', 'time/epoch'],
      tags: ['team'],
    });
  });
});

it.each([
  [0.2134, '0.2134'],
  [0.08404, '0.0840'],
  [0.001634, '0.00163'],
  [12.345, '12.35'],
  [1234.5, '1235'],
  [3, '3'],
  [-0.5, '−0.5000'],
  [0.0000123, '1.23e-5'],
  [NaN, 'NaN'],
  [-Infinity, '−∞'],
  [undefined, '–'],
])('shows a metric of %s as %s', (value, text) => expect(formatMetric(value)).toBe(text));

it.each([
  [12_999, '0:12'],
  [274_000, '4:34'],
  [3_723_000, '1:02:03'],
  [274_000_000, '3 d 04 h'],
])('shows %s ms as %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

it.each([
  [0, '0:00'],
  [412, '0.4\u2009s'],
  [9_960, '0:09'],
  [274_000, '4:34'],
])('shows a run of %s ms as %s', (ms, text) => expect(formatTaken(ms)).toBe(text));
