import type { TraceColumns } from '../contract';
import type { LayerRecord } from './manifest';
import type { Program, Step } from './program';
import type { StreamSchedule } from './schedule';
import type { InferenceTimes } from './trace';

/** Everything needed to draw one inference. */
export interface InferenceTrace {
  readonly times: InferenceTimes;
  readonly program: Program;
  readonly schedule: StreamSchedule | undefined;
  readonly layers: readonly LayerRecord[];
}

const READ = 0;
const WAIT = 1;
const COMPUTE = 2;
/** Shorter waits are the cost of looking at a counter. */
const MIN_WAIT_MS = 0.005;

interface Span {
  readonly layer: number;
  readonly kind: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly bytes: number;
}

/** The trace of one inference as columns. Time 0 is its start; reads ahead of it come at negative times shifted to 0. */
export function traceColumns(runId: string, trace: InferenceTrace): TraceColumns {
  const spans = [...readSpans(trace), ...stepSpans(trace)].sort((a, b) => a.startMs - b.startMs);
  const originMs = Math.min(trace.times.startMs, spans[0]?.startMs ?? trace.times.startMs);
  const occupancy = ringOccupancy(trace);
  return {
    runId,
    layer: Uint32Array.from(spans, (span) => span.layer),
    kind: Uint8Array.from(spans, (span) => span.kind),
    startUs: Float64Array.from(spans, (span) => (span.startMs - originMs) * 1000),
    durationUs: Float64Array.from(spans, (span) => (span.endMs - span.startMs) * 1000),
    bytes: Float64Array.from(spans, (span) => span.bytes),
    layerNames: trace.layers.map((layer) => layer.name),
    ringAtUs: Float64Array.from(occupancy, (point) => (point.atMs - originMs) * 1000),
    ringBytes: Float64Array.from(occupancy, (point) => point.bytes),
    ringCapacityBytes: trace.program.ringBytes,
  };
}

function readSpans({ times, schedule, program }: InferenceTrace): Span[] {
  return (schedule?.operations ?? []).map((operation, index) => ({
    layer: program.steps[operation.step]?.first ?? 0,
    kind: READ,
    startMs: times.reads[2 * index] ?? times.startMs,
    endMs: times.reads[2 * index + 1] ?? times.startMs,
    bytes: operation.byteLength,
  }));
}

function stepSpans({ times, program, layers }: InferenceTrace): Span[] {
  return program.steps.flatMap((step, index) => {
    const [waitMs = 0, computeMs = 0, endMs = 0] = times.steps.subarray(3 * index, 3 * index + 3);
    const ringBytes = step.ring.reduce((sum, range) => sum + range.byteLength, 0);
    const compute = {
      layer: step.first,
      kind: COMPUTE,
      startMs: computeMs,
      endMs,
      bytes: weightBytes(step, layers),
    };
    if (computeMs - waitMs < MIN_WAIT_MS) return [compute];
    return [{ layer: step.first, kind: WAIT, startMs: waitMs, endMs: computeMs, bytes: ringBytes }, compute];
  });
}

function weightBytes(step: Step, layers: readonly LayerRecord[]): number {
  const tiling = layers[step.first]?.tiling;
  if (step.kind === 'tile' && step.rows && tiling) return step.rows.count * tiling.rowBytes;
  if (step.kind !== 'segment') return 0;
  return layers.slice(step.first, step.last + 1).reduce((sum, layer) => sum + layer.byteLength, 0);
}

/** Bytes held in the ring over time: taken when a read begins, given back when the step that used them ends. */
function ringOccupancy({ times, schedule, program }: InferenceTrace): { atMs: number; bytes: number }[] {
  if (!schedule) return [];
  const changes = [
    ...schedule.operations.map((operation, index) => ({
      atMs: times.reads[2 * index] ?? 0,
      bytes: operation.byteLength,
    })),
    ...program.steps.map((step, index) => ({
      atMs: times.steps[3 * index + 2] ?? 0,
      bytes: -step.ring.reduce((sum, range) => sum + range.byteLength, 0),
    })),
  ].sort((a, b) => a.atMs - b.atMs);
  let bytes = 0;
  return changes.map((change) => {
    bytes += change.bytes;
    return { atMs: change.atMs, bytes };
  });
}

const KIND_NAMES = ['read', 'wait', 'compute'];

/** Chrome trace event JSON (the "JSON object format"), which Perfetto and chrome://tracing open. */
export function chromeTrace(columns: TraceColumns): string {
  const threads = KIND_NAMES.map((name, tid) => ({
    ph: 'M',
    pid: 1,
    tid,
    name: 'thread_name',
    args: { name },
  }));
  const spans = Array.from(columns.startUs, (ts, index) => {
    const layer = columns.layer[index] ?? 0;
    const kind = columns.kind[index] ?? 0;
    return {
      ph: 'X',
      pid: 1,
      tid: kind,
      name: columns.layerNames[layer] ?? `layer ${layer}`,
      cat: KIND_NAMES[kind],
      ts,
      dur: columns.durationUs[index],
      args: { layer, bytes: columns.bytes[index] },
    };
  });
  const ring = Array.from(columns.ringAtUs, (ts, index) => {
    return { ph: 'C', pid: 1, name: 'ring', ts, args: { bytes: columns.ringBytes[index] } };
  });
  return JSON.stringify({ displayTimeUnit: 'ms', traceEvents: [...threads, ...spans, ...ring] });
}
