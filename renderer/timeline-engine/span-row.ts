import { buildCoverage } from './coverage-lod';
import type { CoverageLod } from './coverage-lod';

/** Spans that don't overlap, in order: `start` and `end` both ascend, `end[i] <= start[i + 1]`. All times µs. */
export interface SpanRow {
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Index of each span in the trace's columns. */
  readonly span: Uint32Array;
  /** `[n + 1]`: time covered, and bytes, of the spans before each. */
  readonly coveredBefore: Float64Array;
  readonly bytesBefore: Float64Array;
  readonly lod: CoverageLod;
}

export function buildRow(
  start: Float64Array,
  end: Float64Array,
  span: Uint32Array,
  bytes: Float64Array,
): SpanRow {
  const coveredBefore = new Float64Array(start.length + 1);
  const bytesBefore = new Float64Array(start.length + 1);
  for (let i = 0; i < start.length; i += 1) {
    coveredBefore[i + 1] = coveredBefore[i]! + end[i]! - start[i]!;
    bytesBefore[i + 1] = bytesBefore[i]! + bytes[span[i]!]!;
  }
  return { start, end, span, coveredBefore, bytesBefore, lod: buildCoverage(start, end) };
}

/** First index whose value is > `us`; the length if none. `sorted` ascends. */
export function upperBound(sorted: Float64Array, us: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! > us) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** First index whose value is >= `us`; the length if none. */
export function lowerBound(sorted: Float64Array, us: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! >= us) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Index range (`end` exclusive) of the spans with some time, or without duration a point, inside `(fromUs, toUs)`. */
export function spansBetween(row: SpanRow, fromUs: number, toUs: number): { first: number; end: number } {
  return { first: upperBound(row.end, fromUs), end: lowerBound(row.start, toUs) };
}

export interface RowSums {
  readonly coveredUs: number;
  /** Bytes in proportion to the part of each span inside the range. */
  readonly bytes: number;
  /** Spans with any part inside. */
  readonly spans: number;
}

/** What a row holds between two times; O(log n). */
export function sumBetween(row: SpanRow, fromUs: number, toUs: number): RowSums {
  const { first, end } = spansBetween(row, fromUs, toUs);
  if (first >= end) return { coveredUs: 0, bytes: 0, spans: 0 };
  let coveredUs = row.coveredBefore[end]! - row.coveredBefore[first]!;
  let bytes = row.bytesBefore[end]! - row.bytesBefore[first]!;
  // Only the first and the last span can reach over a border, and one span can be both.
  for (const index of end - 1 === first ? [first] : [first, end - 1]) {
    const start = row.start[index]!;
    const stop = row.end[index]!;
    const outsideUs = Math.max(0, fromUs - start) + Math.max(0, stop - toUs);
    coveredUs -= outsideUs;
    if (stop > start)
      bytes -= ((row.bytesBefore[index + 1]! - row.bytesBefore[index]!) * outsideUs) / (stop - start);
  }
  return { coveredUs, bytes, spans: end - first };
}
