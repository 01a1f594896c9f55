import { SPAN_KINDS } from '../../core/contract';
import type { SpanKind, TraceColumns } from '../../core/contract';
import { strings } from '../strings';
import { endUs, groupSpans, spansWhere } from './span-group';
import type { SpanGroup } from './span-group';
import { buildSteps } from './step-lod';
import type { LayerTrace, TraceLane } from './trace-model';

const WORDS = strings.trace;

/** From top to bottom: cause above effect, the ring between disk and compute. */
const LANES: readonly Omit<TraceLane, 'rows'>[] = [
  { key: 'read', color: 'read', weight: 2, ...WORDS.lanes.read },
  { key: 'ring', color: 'ring', weight: 2, ...WORDS.lanes.ring },
  { key: 'compute', color: 'compute', weight: 1.5, ...WORDS.lanes.compute },
  { key: 'wait', color: 'wait', weight: 1, ...WORDS.lanes.wait },
];

/** Prepares the spans of a streamed inference for drawing and asking. */
export function buildTrace(recorded: TraceColumns): LayerTrace {
  const columns = fromInferenceStart(recorded);
  const rowOf = new Uint16Array(columns.startUs.length);
  const group = (kind: SpanKind): SpanGroup => {
    const wanted = SPAN_KINDS.indexOf(kind);
    const spans = spansWhere(columns.kind.length, (span) => columns.kind[span] === wanted);
    return groupSpans(columns, spans, rowOf);
  };
  const kinds = { read: group('read'), wait: group('wait'), compute: group('compute') };
  let durationUs = columns.ringAtUs.at(-1) ?? 0;
  for (let i = 0; i < columns.startUs.length; i += 1) durationUs = Math.max(durationUs, endUs(columns, i));
  const laneOfKind = SPAN_KINDS.map((kind) => LANES.findIndex(({ key }) => key === kind));
  return {
    source: 'layers',
    columns,
    kindNames: SPAN_KINDS,
    startUs: Math.min(0, columns.startUs[0] ?? 0, columns.ringAtUs[0] ?? 0),
    durationUs,
    kinds,
    lanes: LANES.map((lane) => ({
      ...lane,
      rows: lane.color in kinds ? kinds[lane.color as SpanKind].rows : [],
    })),
    laneOf: columns.kind.map((kind) => laneOfKind[kind]!),
    rowOf,
    groupOf: columns.layer,
    waits: kinds.wait,
    labelOf: (span) => columns.layerNames[columns.layer[span]!] ?? WORDS.layer(columns.layer[span]!),
    ring: buildSteps(columns.ringAtUs, columns.ringBytes),
    readsByEnd: sortReadsByEnd(columns, kinds.read),
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

function sortReadsByEnd(columns: TraceColumns, reads: SpanGroup): LayerTrace['readsByEnd'] {
  const span = new Uint32Array(reads.spans);
  let filled = 0;
  for (const row of reads.rows) {
    span.set(row.span, filled);
    filled += row.span.length;
  }
  span.sort((a, b) => endUs(columns, a) - endUs(columns, b));
  return { span, endUs: Float64Array.from(span, (read) => endUs(columns, read)) };
}
