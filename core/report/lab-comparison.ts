import type { LabRunDetail } from '../contract';
import { note, section, table } from './blocks';
import { formatNumber, formatTime } from './format';
import { pointsOf } from './lab-run';
import type { LabRun } from './lab-run';
import { markup } from './markup';
import type { Markup } from './markup';
import type { Report } from './page';
import { linePlot } from './plot/line-plot';

interface Row {
  readonly what: string;
  readonly values: readonly string[];
}

/** Runs of the lab beside each other: what differs, and each metric's curves over each other. */
export function labComparison(runs: readonly LabRun[]): Report {
  const details = runs.map(({ detail }) => detail);
  return {
    kind: 'Comparison of runs of the lab',
    title: details.length <= 3 ? details.map(({ name }) => name).join(', ') : `${details.length} runs`,
    lead: `${details.length} runs, of ${formatTime(new Date(Math.min(...details.map((run) => run.createdMs))).toISOString())} and later.`,
    sections: [differenceSection(details), ...metricSections(runs)],
  };
}

function differenceSection(runs: readonly LabRunDetail[]): Markup {
  const facts: readonly [string, (run: LabRunDetail) => string | undefined][] = [
    ['state', ({ state }) => state],
    ['user', ({ user }) => user],
    ['program', ({ program }) => program],
    ['dataset', ({ dataset }) => dataset],
    ['code', ({ code }) => code?.hash.slice(0, 12)],
    ['forked from', ({ parent }) => parent],
    ['took, s', (run) => tookSec(run)],
  ];
  const names = [...new Set(runs.flatMap(({ params }) => Object.keys(params)))].sort();
  const all: Row[] = [
    ...names.map((name) => ({ what: name, values: runs.map(({ params }) => ownOf(params, name) ?? '–') })),
    ...facts.map(([what, of]) => ({ what, values: runs.map((run) => of(run) ?? '–') })),
  ];
  const differing = all.filter(({ values }) => new Set(values).size > 1);
  const same = all.filter(({ values }) => new Set(values).size === 1 && values[0] !== '–');
  return section(
    'What differs',
    differing.length === 0
      ? note('Parameters, program, dataset and code are the same.')
      : table<Row>('Parameters first', columnsOf(runs), differing),
    same.length > 0
      ? note(`The same in all: ${same.map(({ what, values }) => `${what} ${values[0] ?? ''}`).join('; ')}.`)
      : undefined,
  );
}

/** A program may log a parameter named `constructor`. */
function ownOf<T>(values: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(values, name) ? values[name] : undefined;
}

function tookSec({ startedMs, endedMs }: LabRunDetail): string | undefined {
  return startedMs === undefined || endedMs === undefined
    ? undefined
    : ((endedMs - startedMs) / 1000).toFixed(1);
}

function columnsOf(runs: readonly LabRunDetail[]): Parameters<typeof table<Row>>[1] {
  return [
    { title: 'name', cell: ({ what }) => what, isHead: true },
    ...runs.map(({ name }, index) => ({
      title: name,
      cell: ({ values }: Row) => markup`<span class="mono">${values[index]}</span>`,
    })),
  ];
}

function metricSections(runs: readonly LabRun[]): readonly Markup[] {
  const keys = [...new Set(runs.flatMap(({ detail }) => Object.keys(detail.metrics)))].sort();
  if (keys.length === 0) return [section('Metrics', note('None of these runs logged a metric.'))];
  const rows = keys.map((key): Row => ({
    what: key,
    values: runs.map(({ detail }) => {
      const value = ownOf(detail.metrics, key);
      return value === undefined ? '–' : formatNumber(value);
    }),
  }));
  const plots = keys.flatMap((key) => {
    const lines = runs.flatMap(({ detail, series }) => {
      const found = series.find((one) => one.key === key);
      return found && found.value.length > 1 ? [{ name: detail.name, points: pointsOf(found) }] : [];
    });
    return lines.length === 0
      ? []
      : [linePlot({ title: key, x: { label: 'step' }, y: { label: key }, lines })];
  });
  const columns = columnsOf(runs.map(({ detail }) => detail)).map((column, index) =>
    index === 0 ? column : { ...column, isNumber: true },
  );
  return [section('Metrics', table<Row>('The last value of each', columns, rows), plots)];
}
