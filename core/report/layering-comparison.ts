import { formatBytes } from '../base';
import type { RunRecord } from '../contract';
import { section, table } from './blocks';
import { formatMs, formatNumber, formatPct, formatTime } from './format';
import { modeText, resultTable } from './layering-run';
import type { LayeringRun } from './layering-run';
import { markup } from './markup';
import type { Markup } from './markup';
import type { Report } from './page';
import { barPlot } from './plot/bar-plot';
import { laneSums, timelinePicture } from './plot/timeline-picture';

interface Compared {
  readonly what: string;
  readonly from: string;
  readonly to: string;
  /** How the second stands to the first. */
  readonly change: string;
}

/** Two runs of streamed networks beside each other. */
export function layeringComparison(from: LayeringRun, to: LayeringRun): Report {
  const names = [nameOf(from.record, 'A'), nameOf(to.record, 'B')] as const;
  return {
    kind: 'Comparison of two runs',
    title:
      from.record.model === to.record.model
        ? `${from.record.model}: two runs`
        : `${from.record.model} and ${to.record.model}`,
    lead: markup`${names[0]}.<br>${names[1]}.`,
    sections: [
      section('Beside each other', comparedTable(from.record, to.record)),
      ...latencySection([from, to], names),
      timelineSection([from, to], names),
      sameResult(from.record, to.record),
    ],
  };
}

function nameOf(record: RunRecord, letter: string): string {
  return `${letter}: ${record.model} on ${record.inputName}, ${modeText(record)}, ${formatTime(record.startedAt)}`;
}

function comparedTable(a: RunRecord, b: RunRecord): Markup {
  const rows: Compared[] = [
    texts('model', a.model, b.model),
    texts('input', a.inputName, b.inputName),
    texts('mode', a.mode, b.mode),
    texts('state', a.state, b.state),
    ...numbers('median latency', a.stats?.medianMs, b.stats?.medianMs, formatMs),
    ...numbers('99th percentile', a.stats?.p99Ms, b.stats?.p99Ms, formatMs),
    ...numbers('predicted', a.plan?.predictedMs, b.plan?.predictedMs, formatMs),
    ...numbers('waited for reads, last', a.stats?.lastStallMs, b.stats?.lastStallMs, formatMs),
    ...numbers('read, last', a.stats?.readBytesLast, b.stats?.readBytesLast, formatBytes),
    ...numbers('inferences', a.stats?.inferences, b.stats?.inferences, formatNumber),
    ...numbers('budget', limitOf(a), limitOf(b), formatBytes),
    ...numbers('parameter memory', a.plan?.parameterMemoryBytes, b.plan?.parameterMemoryBytes, formatBytes),
    ...numbers('ring', a.plan?.ringBytes, b.plan?.ringBytes, formatBytes),
    ...numbers('resident layers', a.plan?.residentBytes, b.plan?.residentBytes, formatBytes),
  ];
  return table<Compared>(
    'What differs is set bold',
    [
      { title: 'figure', cell: ({ what }) => what, isHead: true },
      { title: 'A', cell: (row) => shown(row, row.from), isNumber: true },
      { title: 'B', cell: (row) => shown(row, row.to), isNumber: true },
      { title: 'B to A', cell: ({ change }) => change, isNumber: true },
    ],
    rows,
  );
}

function shown({ from, to }: Compared, value: string): Markup | string {
  return from === to ? value : markup`<span class="differs">${value}</span>`;
}

function limitOf({ mode, budgetBytes }: RunRecord): number | undefined {
  return mode === 'resident' ? undefined : budgetBytes;
}

function texts(what: string, from: string, to: string): Compared {
  return { what, from, to, change: '' };
}

function numbers(
  what: string,
  from: number | undefined,
  to: number | undefined,
  format: (value: number) => string,
): readonly Compared[] {
  if (from === undefined && to === undefined) return [];
  const written = (value: number | undefined): string => (value === undefined ? 'none' : format(value));
  const change =
    from === undefined || to === undefined || from <= 0
      ? ''
      : `${to >= from ? '+' : '−'}${formatPct(Math.abs(to / from - 1) * 100)}`;
  return [{ what, from: written(from), to: written(to), change }];
}

function latencySection(runs: readonly LayeringRun[], names: readonly string[]): readonly Markup[] {
  const rows = runs.flatMap(({ record: { stats, plan } }, series) =>
    stats === undefined
      ? []
      : [
          {
            name: `${'AB'[series]}, measured`,
            series,
            value: stats.medianMs,
            low: stats.p50Ms,
            high: stats.p99Ms,
          },
          ...(plan ? [{ name: `${'AB'[series]}, predicted`, series, value: plan.predictedMs }] : []),
          { name: `${'AB'[series]}, stalls`, series, value: stats.lastStallMs },
        ],
  );
  if (rows.length === 0) return [];
  return [
    section(
      'Latency',
      barPlot({
        title: 'Median latency with its 99th percentile, prediction, and waiting for reads',
        label: 'time, ms',
        format: formatMs,
        legend: names.map((name) => name.split(',')[0] ?? name),
        rows,
      }),
    ),
  ];
}

function timelineSection(runs: readonly LayeringRun[], names: readonly string[]): Markup {
  const pictures = runs.map(({ trace }, index) =>
    trace && trace.startUs.length > 0
      ? markup`<h3>${names[index]}</h3><figure>${timelinePicture(trace)}</figure><p class="note">${laneSums(
          trace,
        )
          .map(({ lane, totalMs, bytes }) => `${lane} ${formatMs(totalMs)}, ${formatBytes(bytes)}`)
          .join('; ')}.</p>`
      : markup`<h3>${names[index]}</h3><p class="note">Its spans are not kept any more.</p>`,
  );
  return section('Timelines of the last inferences', pictures);
}

/** Whether both gave the same answer: streamed weights have to. */
function sameResult(a: RunRecord, b: RunRecord): Markup {
  const isComparable = a.result && b.result && a.model === b.model && a.inputName === b.inputName;
  if (!isComparable) return section('Results', resultOf(a, 'A'), resultOf(b, 'B'));
  const isSame = JSON.stringify(a.result) === JSON.stringify(b.result);
  return section(
    'Results',
    isSame
      ? markup`<p><span class="met">✓ The same</span>: both runs gave this result.</p>`
      : markup`<p><span class="missed">✗ Not the same</span>: the results differ.</p>`,
    resultOf(a, isSame ? 'Both' : 'A'),
    isSame ? undefined : resultOf(b, 'B'),
  );
}

function resultOf({ result }: RunRecord, name: string): Markup {
  return markup`<h3>${name}</h3>${result ? resultTable(result) : markup`<p class="note">No result.</p>`}`;
}
