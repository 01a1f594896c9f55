import fc from 'fast-check';

import { seededRandom } from '../../../base';
import { LabDatabase } from '../../store/lab-database';
import { TRACKING_SCHEMA } from '../tracking-schema';
import { TrackingStore } from '../tracking-store';
import type { Run, RunStatus } from '../tracking-types';

const clock = { nowMs: () => 1000, after: () => () => undefined };

export function newStore(): TrackingStore {
  const database = LabDatabase.open(':memory:', [TRACKING_SCHEMA]);
  return new TrackingStore(database, { clock, random: seededRandom(1), artifactRoot: 'file:/artifacts' });
}

interface RunToMake {
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly status: RunStatus;
  readonly name: string;
  readonly metrics: Readonly<Record<string, number>>;
  readonly params: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
}

const pairs = (record: Readonly<Record<string, string>>) =>
  Object.entries(record).map(([key, value]) => ({ key, value }));

export function make(store: TrackingStore, run: RunToMake): void {
  const { startMs, endMs, status, name, metrics, params, tags } = run;
  const { runId } = store.runs.create({ experimentId: '0', startMs, name }).info;
  store.runs.update(runId, { status, endMs });
  store.logBatch({
    runId,
    metrics: Object.entries(metrics).map(([key, value]) => ({ key, value, step: 0, timestampMs: 0 })),
    params: pairs(params),
    tags: pairs(tags),
  });
}

const TEXTS = [
  '',
  'a',
  'A',
  'ab',
  'Ab*',
  'a_b',
  'a%b',
  '[x]',
  "it's",
  'a"b',
  'é',
  'É',
  '😀',
  "'; DROP TABLE tracking_runs; --",
];
const NUMBERS = [0, 1, -1.5, 1e-7, 1e300, Infinity, -Infinity, NaN];
const STATUSES: readonly RunStatus[] = ['RUNNING', 'SCHEDULED', 'FINISHED', 'FAILED', 'KILLED'];
const text = fc.constantFrom(...TEXTS);
const someOf = <T>(keys: readonly string[], value: fc.Arbitrary<T>): fc.Arbitrary<Record<string, T>> =>
  fc
    .array(fc.tuple(fc.constantFrom(...keys), value), { maxLength: 4 })
    .map((entries) => Object.fromEntries(entries));
const METRIC_KEYS = ['m', 'a b', 'val/loss'];
const TEXT_KEYS = ['p', 'a b', 'x.y'];
const optionalMs = fc.option(fc.constantFrom(0, 1, 1.7e12), { nil: undefined });
export const run: fc.Arbitrary<RunToMake> = fc.record({
  startMs: optionalMs,
  endMs: optionalMs,
  status: fc.constantFrom(...STATUSES),
  name: text.filter((name) => name !== ''),
  metrics: someOf(METRIC_KEYS, fc.constantFrom(...NUMBERS)),
  params: someOf(TEXT_KEYS, text),
  tags: someOf(TEXT_KEYS, text),
});

/** One comparison: as a client writes it, and what it means. */
interface Case {
  readonly source: string;
  readonly holds: (run: Run) => boolean;
}

const quoteText = fc.constantFrom(
  (value: string) => `'${value.replaceAll("'", "''")}'`,
  (value: string) => `"${value.replaceAll('"', '""')}"`,
);
const quoteKey = (key: string): string => (/^[a-z.]+$/.test(key) ? key : `\`${key}\``);
const NUMBER_TESTS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};
const TEXT_TESTS: Readonly<Record<string, (a: string, b: string) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  LIKE: (a, b) => like(b).test(a),
  // Only the case of ASCII letters is one.
  ilike: (a, b) => like(asciiLower(b)).test(asciiLower(a)),
};

function like(pattern: string): RegExp {
  const source = pattern.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  return new RegExp(`^${source.replaceAll('%', '.*').replaceAll('_', '.')}$`, 'su');
}

function asciiLower(value: string): string {
  return value.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

const find = (list: readonly { key: string; value: string }[], key: string): string | undefined =>
  list.find((pair) => pair.key === key)?.value;

const numberCase = (field: string, valueOf: (run: Run) => number | undefined): fc.Arbitrary<Case> =>
  fc
    .tuple(fc.constantFrom(...Object.keys(NUMBER_TESTS)), fc.constantFrom(0, 1, -1.5, 1e-7, 1.7e12))
    .map(([operator, number]) => ({
      source: `${field} ${operator} ${number}`,
      holds: (found) => {
        const value = valueOf(found);
        return value !== undefined && NUMBER_TESTS[operator]!(value, number);
      },
    }));
const textCase = (field: string, valueOf: (run: Run) => string | undefined): fc.Arbitrary<Case> =>
  fc.tuple(fc.constantFrom(...Object.keys(TEXT_TESTS)), text, quoteText).map(([operator, other, quote]) => ({
    source: `${field}${operator === '=' ? '=' : ` ${operator} `}${quote(other)}`,
    holds: (found) => {
      const value = valueOf(found);
      return value !== undefined && TEXT_TESTS[operator]!(value, other);
    },
  }));
const nullCase = (field: string, valueOf: (run: Run) => string | undefined): fc.Arbitrary<Case> =>
  fc.boolean().map((isNull) => ({
    source: `${field} IS ${isNull ? '' : 'NOT '}null`,
    holds: (found) => (valueOf(found) === undefined) === isNull,
  }));
const listCase: fc.Arbitrary<Case> = fc
  .tuple(fc.boolean(), fc.array(fc.constantFrom(...STATUSES), { minLength: 1, maxLength: 3 }))
  .map(([isIn, statuses]) => ({
    source: `status ${isIn ? 'in' : 'NOT IN'} (${statuses.map((status) => `'${status}'`).join(' , ')})`,
    holds: ({ info }) => statuses.includes(info.status) === isIn,
  }));

export const comparison: fc.Arbitrary<Case> = fc.oneof(
  ...METRIC_KEYS.map((key) =>
    numberCase(
      `metrics.${quoteKey(key)}`,
      ({ metrics }) => metrics.find((metric) => metric.key === key)?.value,
    ),
  ),
  ...TEXT_KEYS.flatMap((key) => [
    textCase(`params.${quoteKey(key)}`, ({ params }) => find(params, key)),
    nullCase(`param.${quoteKey(key)}`, ({ params }) => find(params, key)),
    textCase(`tag."${key}"`, ({ tags }) => find(tags, key)),
    nullCase(`tags.${quoteKey(key)}`, ({ tags }) => find(tags, key)),
  ]),
  numberCase('attributes.start_time', ({ info }) => info.startMs),
  numberCase('`end_time`', ({ info }) => info.endMs),
  textCase('run.`run_name`', ({ info }) => info.name),
  textCase('attr.status', ({ info }) => info.status),
  listCase,
);

type SortKey = readonly [rank: number, value: number | string];
interface OrderCase {
  readonly source: string;
  readonly isDescending: boolean;
  readonly keyOf: (run: Run) => SortKey;
}

const keyOf = (value: number | string | undefined): SortKey => {
  if (value === undefined) return [2, 0];
  return typeof value === 'number' && Number.isNaN(value) ? [1, 0] : [0, value];
};
const ORDERS: readonly (readonly [string, (run: Run) => SortKey])[] = [
  ['metrics.m', ({ metrics }) => keyOf(metrics.find(({ key }) => key === 'm')?.value)],
  ['params.`a b`', ({ params }) => keyOf(find(params, 'a b'))],
  ['tags.p', ({ tags }) => keyOf(find(tags, 'p'))],
  ['start_time', ({ info }) => keyOf(info.startMs)],
  ['attributes.status', ({ info }) => keyOf(info.status)],
];
export const order: fc.Arbitrary<OrderCase> = fc
  .tuple(fc.constantFrom(...ORDERS), fc.constantFrom('', ' asc', ' DESC'))
  .map(([[source, key], direction]) => ({
    source: source + direction,
    isDescending: direction === ' DESC',
    keyOf: key,
  }));

/** By the bytes of UTF-8, as SQLite compares. */
function compareValues(a: number | string, b: number | string): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

export function naiveOrder(runs: readonly Run[], orders: readonly OrderCase[]): readonly string[] {
  const all: readonly OrderCase[] = [
    ...orders,
    { source: '', isDescending: true, keyOf: ({ info }) => keyOf(info.startMs) },
    { source: '', isDescending: false, keyOf: ({ info }) => keyOf(info.runId) },
  ];
  const sorted = [...runs].sort((a, b) => {
    for (const { keyOf: key, isDescending } of all) {
      const [[rankA, valueA], [rankB, valueB]] = [key(a), key(b)];
      const difference = rankA - rankB || compareValues(valueA, valueB) * (isDescending ? -1 : 1);
      if (difference !== 0) return difference;
    }
    return 0;
  });
  return sorted.map(({ info }) => info.runId);
}
