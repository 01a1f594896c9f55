import { formatBytes } from '../base';
import type { MemoryDelayCurve, RunRecord, RunResult, TraceColumns } from '../contract';
import { facts, figures, note, section, table } from './blocks';
import { formatMs, formatNumber, formatPct, formatTime } from './format';
import { markup } from './markup';
import type { Markup } from './markup';
import type { Report } from './page';
import { linePlot } from './plot/line-plot';
import type { Line } from './plot/line-plot';
import { laneSums, timelinePicture } from './plot/timeline-picture';
import type { LaneSums } from './plot/timeline-picture';

/** What is known of a run of a streamed network. */
export interface LayeringRun {
  readonly record: RunRecord;
  /** Of the last inference, while it is kept. */
  readonly trace?: TraceColumns;
  /** Of the model in the run's mode; absent for models that are gone. */
  readonly curve?: MemoryDelayCurve;
}

/** A run as a report: figures, memory, timeline, memory-delay curve, result. */
export function layeringReport(run: LayeringRun): Report {
  const { record } = run;
  return {
    kind: 'Run of a streamed network',
    title: record.model,
    lead: `${record.inputName}, ${modeText(record)}, started ${formatTime(record.startedAt)}: ${record.state}.`,
    sections: [
      ...failureSection(record),
      ...figureSection(record),
      ...resultSection(record.result),
      ...memorySection(record),
      timelineSection(run.trace),
      ...(run.curve ? [curveSection(run.curve, record)] : []),
    ],
  };
}

export function modeText({ mode, budgetBytes }: RunRecord): string {
  return mode === 'resident'
    ? 'resident, all weights in memory'
    : `${mode} within ${formatBytes(budgetBytes)}`;
}

function failureSection({ error }: RunRecord): readonly Markup[] {
  return error ? [section('It failed', markup`<p class="failure">${error.message}</p>`)] : [];
}

function figureSection({ stats, plan }: RunRecord): readonly Markup[] {
  if (!stats) return [];
  const isRepeated = stats.inferences > 1;
  const predicted =
    plan && stats.medianMs > 0
      ? `${formatMs(plan.predictedMs)} (${offBy(plan.predictedMs, stats.medianMs)})`
      : undefined;
  return [
    section(
      'Latency',
      figures({
        [isRepeated ? 'Median latency' : 'Latency']: formatMs(isRepeated ? stats.medianMs : stats.lastMs),
        '99th percentile': isRepeated ? formatMs(stats.p99Ms) : undefined,
        'Waited for reads, last': formatMs(stats.lastStallMs),
        'Read, last': formatBytes(stats.readBytesLast),
        Predicted: predicted,
        Inferences: formatNumber(stats.inferences),
        'Missed deadlines': stats.missedDeadlines > 0 ? formatNumber(stats.missedDeadlines) : undefined,
      }),
    ),
  ];
}

function offBy(predictedMs: number, measuredMs: number): string {
  const percent = (predictedMs / measuredMs - 1) * 100;
  return `${percent >= 0 ? '+' : '−'}${formatPct(Math.abs(percent))}`;
}

function memorySection({ plan, mode }: RunRecord): readonly Markup[] {
  if (!plan) return [];
  const resident = plan.placement.filter((where) => where === 'resident').length;
  const streamed = plan.placement.filter((where) => where === 'streamed').length;
  return [
    section(
      'Parameter memory',
      figures({
        Budget: mode === 'resident' ? 'no limit' : formatBytes(plan.budgetBytes),
        'Held, in all': formatBytes(plan.parameterMemoryBytes),
        Ring: formatBytes(plan.ringBytes),
        'Resident layers': formatBytes(plan.residentBytes),
        'Small constants': formatBytes(plan.constantBytes),
        'Streamed an inference': formatBytes(plan.streamedBytesPerRun),
      }),
      note(
        `Kept in memory: the weights of ${plural(resident, 'layer')}. Read from disk for every inference: those of ${plural(streamed, 'layer')}. Computed in ${plural(plan.segments, 'segment')}.`,
      ),
    ),
  ];
}

function timelineSection(trace: TraceColumns | undefined): Markup {
  if (!trace || trace.startUs.length === 0) {
    return section(
      'Timeline',
      note(
        'The spans of this run are not kept: only those of the latest runs are, by the process that ran them. "sluice run ... --report FILE" writes a report with them.',
      ),
    );
  }
  return section(
    'Timeline of the last inference',
    markup`<ul class="legend">${[
      ['read', 'disk read'],
      ['compute', 'computing'],
      ['wait', 'waiting for a read (stall)'],
    ].map(
      ([kind, name]) =>
        markup`<li><svg viewBox="0 0 22 10" aria-hidden="true"><rect class="${kind}" width="22" height="10" rx="2"/></svg>${name}</li>`,
    )}</ul>`,
    markup`<figure>${timelinePicture(trace)}</figure>`,
    table<LaneSums>(
      'Each lane in sum; reads go on beside each other and beside computing',
      [
        { title: 'lane', cell: ({ lane }) => lane, isHead: true },
        { title: 'spans', cell: ({ spans }) => formatNumber(spans), isNumber: true },
        { title: 'time, ms', cell: ({ totalMs }) => totalMs.toFixed(2), isNumber: true },
        { title: 'bytes', cell: ({ bytes }) => formatBytes(bytes), isNumber: true },
      ],
      laneSums(trace),
    ),
  );
}

const MEBI = 2 ** 20;

function curveSection(curve: MemoryDelayCurve, record: RunRecord): Markup {
  return section(
    'Memory and delay',
    linePlot({
      title: `Latency of ${curve.model} against its budget, ${curve.mode}`,
      x: { label: 'parameter memory, MiB' },
      y: { label: 'latency, ms', fromZero: true },
      lines: [predictedLine(curve), ...measuredLines(curve), ...thisRun(record, 'this run')],
      rules: [
        { name: `all resident, ${formatMs(curve.residentMs)}`, y: curve.residentMs },
        { name: `all read from disk, ${formatMs(curve.readLimitMs)}`, y: curve.readLimitMs },
      ],
    }),
    facts({
      'Least budget': formatBytes(curve.minimumBytes),
      'All resident from': formatBytes(curve.totalBytes),
      'Disk, as measured': `${formatBytes(curve.readBytesPerSec)}/s`,
    }),
  );
}

function predictedLine({ points }: MemoryDelayCurve): Line {
  return {
    name: 'predicted',
    points: points.map(({ budgetBytes, predictedMs }) => ({ x: budgetBytes / MEBI, y: predictedMs })),
  };
}

function measuredLines({ measured, mode }: MemoryDelayCurve): readonly Line[] {
  const points = measured
    .filter((point) => point.mode === mode)
    .map(({ budgetBytes, medianMs, p10Ms, p90Ms }) => ({
      x: budgetBytes / MEBI,
      y: medianMs,
      low: p10Ms,
      high: p90Ms,
    }));
  return points.length === 0
    ? []
    : [{ name: 'measured, median with 10th to 90th percentile', points, isDots: true }];
}

export function thisRun({ stats, plan }: RunRecord, name: string): readonly Line[] {
  if (!stats || !plan) return [];
  return [{ name, points: [{ x: plan.parameterMemoryBytes / MEBI, y: stats.medianMs }], isHere: true }];
}

function resultSection(result: RunResult | undefined): readonly Markup[] {
  return result ? [section('Result', resultTable(result))] : [];
}

/** What a run answered, as a table. */
export function resultTable(result: RunResult): Markup {
  if (result.kind === 'text') return linesTable(result);
  if (result.kind === 'tensors') return tensorTable(result.outputs);
  return table<(typeof result.top)[number]>(
    'The likeliest classes',
    [
      { title: 'class', cell: ({ label }) => label, isHead: true },
      { title: 'number', cell: ({ index }) => index, isNumber: true },
      { title: 'probability, %', cell: ({ probability }) => (probability * 100).toFixed(2), isNumber: true },
    ],
    result.top,
  );
}

function linesTable({ lines, width, height }: Extract<RunResult, { kind: 'text' }>): Markup {
  return table<(typeof lines)[number]>(
    `${plural(lines.length, 'line')} of text in a picture of ${width} × ${height} pixels`,
    [
      { title: 'text', cell: ({ text }) => text, isHead: true },
      { title: 'confidence, %', cell: ({ confidence }) => (confidence * 100).toFixed(1), isNumber: true },
    ],
    lines,
  );
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

function tensorTable(outputs: Extract<RunResult, { kind: 'tensors' }>['outputs']): Markup {
  return table<(typeof outputs)[number]>(
    'Output tensors',
    [
      { title: 'output', cell: ({ name }) => name, isHead: true },
      { title: 'type', cell: ({ dtype }) => dtype },
      { title: 'shape', cell: ({ shape }) => shape.join(' × ') },
      { title: 'least', cell: ({ min }) => formatNumber(min), isNumber: true },
      { title: 'mean', cell: ({ mean }) => formatNumber(mean), isNumber: true },
      { title: 'greatest', cell: ({ max }) => formatNumber(max), isNumber: true },
      { title: 'first values', cell: ({ head }) => head.slice(0, 4).map(formatNumber).join(', ') },
    ],
    outputs,
  );
}
