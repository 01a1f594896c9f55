import { note, section } from '../blocks';
import { formatMs } from '../format';
import type { Markup } from '../markup';
import { barPlot } from '../plot/bar-plot';
import { linePlot } from '../plot/line-plot';
import { numberOf, rowsOf, textOf } from './bench-file';
import type { BenchFile, BenchRow } from './bench-file';
import { rowTable } from './generic';

/** The threshold that most claims are about; another where it was not measured. */
const THRESHOLD = '89';

/** Offload agents: response against users, steps to learn, and the live run. */
export function offloadSections(file: BenchFile): readonly Markup[] {
  const rows = rowsOf(file['rows']);
  const convergence = rowsOf(file['convergence']);
  const live =
    typeof file['live'] === 'object' && file['live'] !== null && 'rows' in file['live']
      ? rowsOf(file['live'].rows)
      : [];
  return [
    ...(rows.length > 0 ? [responseSection(rows)] : []),
    ...(convergence.length > 0 ? [stepsSection(convergence)] : []),
    ...(live.length > 0 ? [liveSection(live)] : []),
  ];
}

function distinct(rows: readonly BenchRow[], key: string): readonly string[] {
  return [...new Set(rows.map((row) => textOf(row, key)))];
}

function responseSection(rows: readonly BenchRow[]): Markup {
  const thresholds = distinct(rows, 'threshold');
  const threshold = thresholds.includes(THRESHOLD) ? THRESHOLD : (thresholds[0] ?? '');
  const chosen = rows.filter((row) => textOf(row, 'threshold') === threshold);
  return section(
    'Response time',
    note(`Mean over all states of the links, seeds' median, at an accuracy threshold of ${threshold}.`),
    distinct(chosen, 'links').map((links) =>
      linePlot({
        title: `Links ${links}`,
        x: { label: 'users' },
        y: { label: 'mean response, ms', isLog: true },
        lines: distinct(chosen, 'agent').map((agent) => ({
          name: agent,
          points: chosen
            .filter((row) => textOf(row, 'links') === links && textOf(row, 'agent') === agent)
            .map((row) => ({ x: numberOf(row, 'users'), y: numberOf(row, 'meanResponseMs') }))
            .sort((a, b) => a.x - b.x),
        })),
      }),
    ),
  );
}

function stepsSection(rows: readonly BenchRow[]): Markup {
  return section(
    'Real steps until it has learned',
    distinct(rows, 'links').map((links) =>
      linePlot({
        title: `Links ${links}`,
        x: { label: 'users' },
        y: { label: 'real steps', isLog: true },
        lines: distinct(rows, 'agent').map((agent) => ({
          name: agent,
          points: rows
            .filter(
              (row) =>
                textOf(row, 'links') === links &&
                textOf(row, 'agent') === agent &&
                numberOf(row, 'converged') > 0,
            )
            .map((row) => ({ x: numberOf(row, 'users'), y: numberOf(row, 'steps') }))
            .sort((a, b) => a.x - b.x),
        })),
      }),
    ),
  );
}

function liveSection(rows: readonly BenchRow[]): Markup {
  return section(
    'Live run: three processes, shaped links',
    distinct(rows, 'half').map((half) =>
      barPlot({
        title: `Half of the run: ${half}`,
        label: 'mean response with its 90th percentile, ms',
        format: formatMs,
        rows: rows
          .filter((row) => textOf(row, 'half') === half)
          .map((row) => ({
            name: textOf(row, 'strategy'),
            series: textOf(row, 'strategy').endsWith('-only') ? 1 : 0,
            value: numberOf(row, 'meanResponseMs'),
            low: numberOf(row, 'meanResponseMs'),
            high: numberOf(row, 'p90ResponseMs'),
          })),
      }),
    ),
    rowTable('All rows', rows),
  );
}
