import { buildRow } from './span-row';
import type { SpanRow } from './span-row';

/** What every span has, by column; sorted by `startUs`. */
export interface SpanColumns {
  readonly startUs: Float64Array;
  readonly durationUs: Float64Array;
  readonly bytes: Float64Array;
}

/** Some of a trace's spans, such as all of one kind. Spans overlap (several reads in flight), so a group has rows. */
export interface SpanGroup {
  readonly rows: readonly SpanRow[];
  /** The group's time as if seen from the side: overlapping spans merged. */
  readonly union: SpanRow;
  readonly spans: number;
}

interface OpenRow {
  readonly span: number[];
  readonly start: number[];
  readonly end: number[];
}

/** Clocks of different threads disagree by less than this; such an overlap does not open a second row. */
const OVERLAP_TOLERANCE_US = 0.5;

export function endUs(columns: SpanColumns, span: number): number {
  return columns.startUs[span]! + columns.durationUs[span]!;
}

/** Puts spans (ascending indices) into as few rows as they overlap. @param rowOf receives the row of each span. */
export function groupSpans(columns: SpanColumns, spans: readonly number[], rowOf: Uint16Array): SpanGroup {
  const rows: OpenRow[] = [];
  const union: OpenRow = { span: [], start: [], end: [] };
  for (const i of spans) {
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
    spans: spans.length,
    rows: rows.map((row) => toRow(row, columns.bytes)),
    union: toRow(union, columns.bytes),
  };
}

function push(row: OpenRow, span: number, start: number, end: number): void {
  row.span.push(span);
  row.start.push(start);
  row.end.push(Math.max(start, end));
}

function toRow(row: OpenRow, bytes: Float64Array): SpanRow {
  return buildRow(
    Float64Array.from(row.start),
    Float64Array.from(row.end),
    Uint32Array.from(row.span),
    bytes,
  );
}

/** Indices of the spans for which `isIn` holds, ascending. */
export function spansWhere(count: number, isIn: (span: number) => boolean): readonly number[] {
  const spans: number[] = [];
  for (let i = 0; i < count; i += 1) if (isIn(i)) spans.push(i);
  return spans;
}
