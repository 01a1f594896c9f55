import type { TraceColumns } from '../../contract';
import { traceColumns } from '../../layering';
import type { InferenceResult } from '../../layering';

type InferenceTrace = InferenceResult['trace'];

/** One inference of a task that runs several networks. */
export interface TracedPart {
  /** Stands before each of its layers' names. */
  readonly network: string;
  readonly trace: InferenceTrace;
}

interface Part extends TracedPart {
  readonly columns: TraceColumns;
  /** Of the columns' time 0, engine clock. */
  readonly originMs: number;
}

/** When a trace's first span starts: its own start, or that of a read ahead of it. */
function originOf({ times }: InferenceTrace): number {
  let first = times.startMs;
  for (let at = 0; at < times.reads.length; at += 2) first = Math.min(first, times.reads[at] ?? first);
  return first;
}

/** Traces of several inferences on one time axis; the layers of each network appear once. */
export function mergeTraces(runId: string, traced: readonly TracedPart[]): TraceColumns {
  const parts = traced.map((part): Part => ({
    ...part,
    columns: traceColumns(runId, part.trace),
    originMs: originOf(part.trace),
  }));
  const zeroMs = Math.min(...parts.map(({ originMs }) => originMs));
  const offsets = new Map<string, number>();
  const layerNames: string[] = [];
  for (const { network, columns } of parts) {
    if (offsets.has(network)) continue;
    offsets.set(network, layerNames.length);
    layerNames.push(...columns.layerNames.map((name) => `${network}/${name}`));
  }
  const spans = parts.flatMap(({ network, columns, originMs }) =>
    Array.from(columns.startUs, (startUs, index) => ({
      layer: (offsets.get(network) ?? 0) + (columns.layer[index] ?? 0),
      kind: columns.kind[index] ?? 0,
      startUs: startUs + (originMs - zeroMs) * 1000,
      durationUs: columns.durationUs[index] ?? 0,
      bytes: columns.bytes[index] ?? 0,
    })),
  );
  spans.sort((a, b) => a.startUs - b.startUs);
  return {
    runId,
    layer: Uint32Array.from(spans, (span) => span.layer),
    kind: Uint8Array.from(spans, (span) => span.kind),
    startUs: Float64Array.from(spans, (span) => span.startUs),
    durationUs: Float64Array.from(spans, (span) => span.durationUs),
    bytes: Float64Array.from(spans, (span) => span.bytes),
    layerNames,
    ...mergeRings(parts, zeroMs),
  };
}

/** Occupancy of all networks' rings together. */
function mergeRings(
  parts: readonly Part[],
  zeroMs: number,
): Pick<TraceColumns, 'ringAtUs' | 'ringBytes' | 'ringCapacityBytes'> {
  const steps = parts.flatMap(({ network, columns, originMs }) =>
    Array.from(columns.ringAtUs, (atUs, index) => ({
      network,
      atUs: atUs + (originMs - zeroMs) * 1000,
      bytes: columns.ringBytes[index] ?? 0,
    })),
  );
  steps.sort((a, b) => a.atUs - b.atUs);
  const held = new Map<string, number>();
  const ringBytes = Float64Array.from(steps, ({ network, bytes }) => {
    held.set(network, bytes);
    return [...held.values()].reduce((sum, value) => sum + value, 0);
  });
  const capacities = new Map(parts.map(({ network, columns }) => [network, columns.ringCapacityBytes]));
  return {
    ringAtUs: Float64Array.from(steps, ({ atUs }) => atUs),
    ringBytes,
    ringCapacityBytes: [...capacities.values()].reduce((sum, value) => sum + value, 0),
  };
}
