import { sumBetween } from './span-row';
import type { TimeWindow } from './time-scale';
import type { SpanGroup } from './span-group';
import type { LayerTrace } from './trace-model';

export interface LaneSums {
  /** Time with at least one span of the kind going on, µs. */
  readonly busyUs: number;
  /** Durations added up, µs: twice the busy time when two spans run at once. */
  readonly summedUs: number;
  /** In proportion to the part of each span inside the range. */
  readonly bytes: number;
  readonly spans: number;
}

/** What happened in a stretch of time, per kind of span. */
export interface RangeSums {
  readonly window: TimeWindow;
  readonly read: LaneSums;
  readonly wait: LaneSums;
  readonly compute: LaneSums;
}

/** O(rows x log spans). */
export function sumRange(model: LayerTrace, window: TimeWindow): RangeSums {
  return { window, ...sumKinds(model.kinds, window) };
}

/** The same for spans of any kinds. */
export function sumKinds<K extends string>(
  kinds: Readonly<Record<K, SpanGroup>>,
  window: TimeWindow,
): Readonly<Record<K, LaneSums>> {
  const entries = Object.entries<SpanGroup>(kinds).map(([kind, group]) => [kind, sumGroup(group, window)]);
  return Object.fromEntries(entries) as Record<K, LaneSums>;
}

function sumGroup(group: SpanGroup, { startUs, endUs }: TimeWindow): LaneSums {
  let summedUs = 0;
  let bytes = 0;
  let spans = 0;
  for (const row of group.rows) {
    const sums = sumBetween(row, startUs, endUs);
    summedUs += sums.coveredUs;
    bytes += sums.bytes;
    spans += sums.spans;
  }
  return { busyUs: sumBetween(group.union, startUs, endUs).coveredUs, summedUs, bytes, spans };
}

export interface LayerSums {
  readonly layer: number;
  readonly name: string;
  readonly readUs: number;
  readonly readBytes: number;
  readonly waitUs: number;
  readonly computeUs: number;
}

/** Durations and bytes per layer over the whole trace; reads count for the first layer they hold. */
export function sumLayers(model: LayerTrace): readonly LayerSums[] {
  const { columns } = model;
  const sums = columns.layerNames.map((name, layer) => {
    return { layer, name, readUs: 0, readBytes: 0, waitUs: 0, computeUs: 0 };
  });
  for (const kind of ['read', 'wait', 'compute'] as const) {
    for (const row of model.kinds[kind].rows) {
      for (const span of row.span) {
        const entry = sums[columns.layer[span]!];
        if (!entry) continue;
        entry[`${kind}Us`] += columns.durationUs[span]!;
        if (kind === 'read') entry.readBytes += columns.bytes[span]!;
      }
    }
  }
  return sums;
}
