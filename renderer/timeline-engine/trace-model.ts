import { SPAN_KINDS } from '../../core/contract';
import type { SpanKind, TraceColumns } from '../../core/contract';
import { buildRow } from './span-row';
import type { SpanRow } from './span-row';
import { buildSteps } from './step-lod';
import type { StepLod } from './step-lod';

/** All spans of one kind. Reads overlap (several in flight), so a lane has rows. */
export interface SpanLane {
  readonly kind: SpanKind;
  readonly rows: readonly SpanRow[];
  /** The lane's time as if seen from the side: overlapping spans merged. */
  readonly union: SpanRow;
  readonly spans: number;
}

/**
 * One trace, prepared for drawing and asking. Built once; nothing in it changes. Time 0 is where the inference starts:
 * what was read ahead of it, while the engine was idle, lies before.
 */
export interface TraceModel {
  readonly columns: TraceColumns;
  /** Start of the first span, µs; never above 0. */
  readonly startUs: number;
  /** End of the inference, µs. */
  readonly durationUs: number;
  readonly lanes: Readonly<Record<SpanKind, SpanLane>>;
  readonly ring: StepLod;
  /** Row of each span in its lane. */
  readonly rowOf: Uint16Array;
  /** Reads in the order they finished, and when, for finding what ended a wait. */
  readonly readsByEnd: { readonly span: Uint32Array; readonly endUs: Float64Array };
}

/** Clocks of different threads disagree by less than this; such an overlap does not open a second row. */
const OVERLAP_TOLERANCE_US = 0.5;

export function buildTrace(recorded: TraceColumns): TraceModel {
  const columns = fromInferenceStart(recorded);
  const rowOf = new Uint16Array(columns.startUs.length);
  const lanes = {
    read: buildLane(columns, 'read', rowOf),
    wait: buildLane(columns, 'wait', rowOf),
    compute: buildLane(columns, 'compute', rowOf),
  };
  let durationUs = columns.ringAtUs.at(-1) ?? 0;
  for (let i = 0; i < columns.startUs.length; i += 1) durationUs = Math.max(durationUs, endUs(columns, i));
  return {
    columns,
    startUs: Math.min(0, columns.startUs[0] ?? 0, columns.ringAtUs[0] ?? 0),
    durationUs,
    lanes,
    ring: buildSteps(columns.ringAtUs, columns.ringBytes),
    rowOf,
    readsByEnd: sortReadsByEnd(columns, lanes.read),
  };
}

/** An inference starts with its first wait or computation. */
function fromInferenceStart(columns: TraceColumns): TraceColumns {
  const read = SPAN_KINDS.indexOf('read');
  const first = columns.kind.findIndex((kind) => kind !== read);
  const zeroUs = columns.startUs[first] ?? 0;
  if (zeroUs === 0) return columns;
  return {
    ...columns,
    startUs: columns.startUs.map((us) => us - zeroUs),
    ringAtUs: columns.ringAtUs.map((us) => us - zeroUs),
  };
}

export function endUs(columns: TraceColumns, span: number): number {
  return columns.startUs[span]! + columns.durationUs[span]!;
}

export function kindOf(columns: TraceColumns, span: number): SpanKind {
  return SPAN_KINDS[columns.kind[span]!]!;
}

export function layerNameOf(columns: TraceColumns, span: number): string {
  return columns.layerNames[columns.layer[span]!] ?? `layer ${columns.layer[span]}`;
}

function buildLane(columns: TraceColumns, kind: SpanKind, rowOf: Uint16Array): SpanLane {
  const wanted = SPAN_KINDS.indexOf(kind);
  const rows: { span: number[]; start: number[]; end: number[] }[] = [];
  const union = { span: [] as number[], start: [] as number[], end: [] as number[] };
  let spans = 0;
  for (let i = 0; i < columns.kind.length; i += 1) {
    if (columns.kind[i] !== wanted) continue;
    spans += 1;
    const start = columns.startUs[i]!;
    const end = endUs(columns, i);
    const free = rows.findIndex((row) => row.end.at(-1)! <= start + OVERLAP_TOLERANCE_US);
    const index = free < 0 ? rows.push({ span: [], start: [], end: [] }) - 1 : free;
    rowOf[i] = index;
    push(rows[index]!, i, Math.max(start, rows[index]!.end.at(-1) ?? start), end);
    const unionEnd = union.end.at(-1) ?? -Infinity;
    if (start > unionEnd) push(union, i, start, end);
    else union.end[union.end.length - 1] = Math.max(unionEnd, end);
  }
  return {
    kind,
    spans,
    rows: rows.map((row) => toRow(row, columns.bytes)),
    union: toRow(union, columns.bytes),
  };
}

function push(
  row: { span: number[]; start: number[]; end: number[] },
  span: number,
  start: number,
  end: number,
): void {
  row.span.push(span);
  row.start.push(start);
  row.end.push(Math.max(start, end));
}

function toRow(row: { span: number[]; start: number[]; end: number[] }, bytes: Float64Array): SpanRow {
  return buildRow(
    Float64Array.from(row.start),
    Float64Array.from(row.end),
    Uint32Array.from(row.span),
    bytes,
  );
}

function sortReadsByEnd(columns: TraceColumns, reads: SpanLane): TraceModel['readsByEnd'] {
  const span = new Uint32Array(reads.spans);
  let filled = 0;
  for (const row of reads.rows) {
    span.set(row.span, filled);
    filled += row.span.length;
  }
  span.sort((a, b) => endUs(columns, a) - endUs(columns, b));
  return { span, endUs: Float64Array.from(span, (read) => endUs(columns, read)) };
}
