import { formatBytes } from '../../base';
import type { SoakReport } from '../bench-soak';
import { table } from './table';

type LaneRow = SoakReport['systems'][number];
type ProcessRow = SoakReport['processes'][number];
type FaultRow = SoakReport['faults'][number];

/** What a person reads of a soak. */
export function soakText(report: SoakReport): string {
  const { systems, processes, faults, bars, notes } = report;
  const troubles = [
    ...systems.flatMap(({ work, unexpected }) => unexpected.map((text) => `${work}: ${text}`)),
    ...systems.flatMap(({ work, lostThings }) => lostThings.map((text) => `${work}: lost: ${text}`)),
    ...report.unexpectedEnds.map(({ name, how }) => `${name} ended: ${how}`),
    ...report.leftBehind.map((process) => `left behind: ${process}`),
    ...notes,
  ];
  return [
    workTable(systems),
    processTable(processes),
    faultTable(faults),
    ...(troubles.length > 0 ? [troubles.join('\n')] : []),
    bars.map((bar) => JSON.stringify(bar)).join('\n'),
  ].join('\n\n');
}

function workTable(rows: readonly LaneRow[]): string {
  const count = (title: string, of: (row: LaneRow) => number) =>
    ({ title, text: (row: LaneRow) => String(of(row)), align: 'right' }) as const;
  return table<LaneRow>(
    [
      { title: 'system', text: ({ system }) => system },
      { title: 'work', text: ({ work }) => work },
      count('done', ({ done }) => done),
      count('failed in faults', ({ expectedFailures }) => expectedFailures),
      count('failed otherwise', ({ unexpectedFailures }) => unexpectedFailures),
      count('wrong', ({ wrongResults }) => wrongResults),
      count('acknowledged', ({ acknowledged }) => acknowledged),
      count('lost', ({ lost }) => lost),
    ],
    rows,
  );
}

function processTable(rows: readonly ProcessRow[]): string {
  return table<ProcessRow>(
    [
      { title: 'process', text: ({ name }) => name },
      { title: 'starts', text: ({ starts }) => String(starts), align: 'right' },
      { title: 'memory', text: ({ memoryBytes }) => rangeText(memoryBytes, formatBytes), align: 'right' },
      { title: 'slope a minute', text: (row) => slopeText(row.memorySlope), align: 'right' },
      { title: 'of what is kept', text: (row) => slopeText(row.keptMemorySlope), align: 'right' },
      { title: 'of the heap', text: (row) => slopeText(row.keptHeapSlope), align: 'right' },
      { title: 'memory is', text: ({ memoryVerdict }) => memoryVerdict },
      { title: 'descriptors', text: ({ descriptors }) => rangeText(descriptors, String), align: 'right' },
      { title: 'threads', text: ({ threads }) => rangeText(threads, String), align: 'right' },
    ],
    rows,
  );
}

function rangeText(range: ProcessRow['threads'], text: (value: number) => string): string {
  return range ? `${text(range.start)} to ${text(range.end)}, at most ${text(range.max)}` : '-';
}

function slopeText(slope: ProcessRow['memorySlope']): string {
  if (!slope) return '-';
  const kib = (bytes: number): string => String(Math.round(bytes / 1024));
  return `${kib(slope.bytesPerMin)} ± ${kib(slope.halfWidthBytesPerMin)} KiB`;
}

function faultTable(rows: readonly FaultRow[]): string {
  return table<FaultRow>(
    [
      { title: 'from', text: ({ startSec }) => `${startSec.toFixed(1)} s`, align: 'right' },
      { title: 'to', text: ({ endSec }) => `${endSec.toFixed(1)} s`, align: 'right' },
      { title: 'fault', text: ({ kind }) => kind },
      { title: 'how', text: ({ way, detail }) => `${way}: ${detail}` },
      {
        title: 'all work again after',
        text: ({ recoveredAfterMs, slowest, notRecovered }) =>
          recoveredAfterMs === undefined
            ? notRecovered.join('; ')
            : `${recoveredAfterMs} ms (${slowest ?? ''} last)`,
        align: 'right',
      },
    ],
    rows,
  );
}
