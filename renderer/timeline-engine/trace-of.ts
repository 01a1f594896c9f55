import { SPAN_KINDS } from '../../core/contract';
import type { SpanKind, TraceColumns } from '../../core/contract';

/** A span as tests write it: kind, layer, start and duration in µs, bytes. */
export type PlainSpan = readonly [
  kind: SpanKind,
  layer: number,
  startUs: number,
  durationUs: number,
  bytes: number,
];

/** Columns of hand-written spans, sorted as the engine sorts them. */
export function traceOf(
  spans: readonly PlainSpan[],
  ring: readonly (readonly [number, number])[] = [],
): TraceColumns {
  const sorted = [...spans].sort((a, b) => a[2] - b[2]);
  const layers = Math.max(0, ...spans.map((span) => span[1] + 1));
  return {
    runId: 'test',
    kind: Uint8Array.from(sorted, (span) => SPAN_KINDS.indexOf(span[0])),
    layer: Uint32Array.from(sorted, (span) => span[1]),
    startUs: Float64Array.from(sorted, (span) => span[2]),
    durationUs: Float64Array.from(sorted, (span) => span[3]),
    bytes: Float64Array.from(sorted, (span) => span[4]),
    layerNames: Array.from({ length: layers }, (_, layer) => `layer${layer}`),
    ringAtUs: Float64Array.from(ring, ([at]) => at),
    ringBytes: Float64Array.from(ring, ([, bytes]) => bytes),
    ringCapacityBytes: 100,
  };
}
