import { formatBytes } from '../base';
import type { LabArtifact, LabRunDetail, LabSeries } from '../contract';
import { facts, note, section, table } from './blocks';
import { formatNumber, formatTime } from './format';
import { markup } from './markup';
import type { Markup, Part } from './markup';
import type { Report } from './page';
import { linePlot } from './plot/line-plot';

/** What the lab knows of a run. */
export interface LabRun {
  readonly detail: LabRunDetail;
  /** Each metric's points, by its name. */
  readonly series: readonly LabSeries[];
  /** All files, folders opened. */
  readonly artifacts: readonly LabArtifact[];
}

/** Names of variables whose values could be secrets. */
const SECRET_NAME = /token|secret|passw|credential|api_?key|auth/i;

/** A run of the lab: what was launched, what it logged, what it left. */
export function labReport({ detail, series, artifacts }: LabRun): Report {
  return {
    kind: 'Run of the lab',
    title: detail.name,
    lead: `${detail.experiment}, by ${detail.user}, created ${iso(detail.createdMs)}: ${stateOf(detail)}.`,
    sections: [
      launchSection(detail),
      ...parameterSection(detail),
      ...metricSection(detail, series),
      ...artifactSection(artifacts),
      ...environmentSection(detail),
    ],
  };
}

function iso(ms: number): string {
  return formatTime(new Date(ms).toISOString());
}

function stateOf({ state, reason }: LabRunDetail): string {
  return reason === undefined ? state : `${state} (${reason.replace(/[.]$/, '')})`;
}

function launchSection(run: LabRunDetail): Markup {
  const { resources, code, startedMs, endedMs } = run;
  return section(
    'What ran',
    facts({
      Program: run.program && markup`<code>${run.program}</code>`,
      Code:
        code &&
        markup`<code>${code.hash}</code>, ${formatNumber(code.files)} files, ${formatBytes(code.bytes)}`,
      Dataset: run.dataset,
      'Its contents': run.datasetHash && markup`<code>${run.datasetHash}</code>`,
      'Forked from': run.parent,
      'From checkpoint': run.checkpoint,
      Search: run.search,
      Resources:
        resources &&
        `${formatNumber(resources.cpus)} CPUs, ${formatNumber(resources.gpus)} GPUs, ${formatBytes(resources.memoryBytes)}`,
      Engine: run.engine && [run.engine, run.node === undefined ? '' : ` on ${run.node}`],
      Image: run.image,
      Started: startedMs === undefined ? undefined : iso(startedMs),
      Took: startedMs === undefined || endedMs === undefined ? undefined : duration(endedMs - startedMs),
      'Exit code': run.exitCode === undefined ? undefined : formatNumber(run.exitCode),
      'Run id': markup`<code>${run.runId}</code>`,
    }),
  );
}

function duration(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 120) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120
    ? `${minutes} min ${Math.round(seconds % 60)} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function parameterSection({ params, tags }: LabRunDetail): readonly Markup[] {
  const rows = [
    ...Object.entries(params).map(([name, value]) => ({ name, value })),
    ...Object.entries(tags).map(([name, value]) => ({ name: `tag ${name}`, value })),
  ];
  if (rows.length === 0) return [];
  return [
    section(
      'Parameters',
      table<(typeof rows)[number]>(
        'As the program logged them',
        [
          { title: 'name', cell: ({ name }) => name, isHead: true },
          { title: 'value', cell: ({ value }) => markup`<span class="mono">${value}</span>` },
        ],
        rows,
      ),
    ),
  ];
}

interface Summary {
  readonly key: string;
  readonly points: number;
  readonly first: number;
  readonly last: number;
  readonly low: number;
  readonly high: number;
}

export function summaryOf({ key, value }: LabSeries): Summary {
  const seen = Array.from(value).filter((point) => !Number.isNaN(point));
  return {
    key,
    points: value.length,
    first: seen[0] ?? Number.NaN,
    last: seen[seen.length - 1] ?? Number.NaN,
    low: seen.reduce((least, point) => Math.min(least, point), Infinity),
    high: seen.reduce((most, point) => Math.max(most, point), -Infinity),
  };
}

function metricSection({ metrics }: LabRunDetail, series: readonly LabSeries[]): readonly Markup[] {
  if (Object.keys(metrics).length === 0) return [];
  const lines = series.filter(({ value }) => value.length > 1);
  const single = Object.entries(metrics).filter(
    ([key]) => !series.some((one) => one.key === key && one.value.length > 1),
  );
  return [
    section(
      'Metrics',
      lines.length > 0
        ? table<Summary>(
            'First, last, least and greatest value of each; of long series the drawn points, with all peaks',
            [
              { title: 'metric', cell: ({ key }) => key, isHead: true },
              { title: 'points drawn', cell: ({ points }) => formatNumber(points), isNumber: true },
              { title: 'first', cell: ({ first }) => formatNumber(first), isNumber: true },
              { title: 'last', cell: ({ last }) => formatNumber(last), isNumber: true },
              { title: 'least', cell: ({ low }) => formatNumber(low), isNumber: true },
              { title: 'greatest', cell: ({ high }) => formatNumber(high), isNumber: true },
            ],
            lines.map(summaryOf),
          )
        : undefined,
      single.length > 0
        ? table<[string, number]>(
            'Logged once',
            [
              { title: 'metric', cell: ([key]) => key, isHead: true },
              { title: 'value', cell: ([, value]) => formatNumber(value), isNumber: true },
            ],
            single,
          )
        : undefined,
      lines.map((one) =>
        linePlot({
          title: one.key,
          x: { label: 'step' },
          y: { label: one.key },
          lines: [{ name: one.key, points: pointsOf(one) }],
        }),
      ),
    ),
  ];
}

export function pointsOf({ step, value }: LabSeries): readonly { readonly x: number; readonly y: number }[] {
  return Array.from(value, (y, index) => ({ x: step[index] ?? index, y }));
}

function artifactSection(artifacts: readonly LabArtifact[]): readonly Markup[] {
  const files = artifacts.filter(({ isFolder }) => !isFolder);
  if (files.length === 0) return [];
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  return [
    section(
      'Artifacts',
      table<LabArtifact>(
        `${formatNumber(files.length)} files, ${formatBytes(bytes)}`,
        [
          { title: 'file', cell: ({ path }) => markup`<span class="mono">${path}</span>`, isHead: true },
          { title: 'size', cell: (file) => formatBytes(file.bytes), isNumber: true },
        ],
        files,
      ),
    ),
  ];
}

function environmentSection({ environment = {}, args = [], entry }: LabRunDetail): readonly Markup[] {
  const names = Object.keys(environment);
  if (entry === undefined && names.length === 0) return [];
  const values: Record<string, Part> = {
    'Entry point': entry && markup`<code>${entry}</code>`,
    Arguments: args.length > 0 ? markup`<code>${args.join(' ')}</code>` : 'none',
    ...Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name,
        SECRET_NAME.test(name)
          ? 'left out: its name says that it is a secret'
          : markup`<code>${value}</code>`,
      ]),
    ),
  };
  return [
    section('Environment', facts(values), names.length === 0 ? note('No variables of its own.') : undefined),
  ];
}
