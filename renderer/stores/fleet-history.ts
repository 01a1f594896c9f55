import type { FleetBox } from '../../core/contract';

/** What is kept of a box over time. */
export const BOX_SERIES = [
  'cpuPct',
  'memUsedBytes',
  'diskReadBytesPerSec',
  'budgetUsedBytes',
  'roundTripMs',
  'medianResponseMs',
] as const;
export type BoxSeries = (typeof BOX_SERIES)[number];

/** Columns for a plot: seconds before the latest sample (negative), and values; null where there is none. */
export type BoxColumns = readonly [seconds: number[], values: (number | null)[]];

/** The last minutes of every box, in ring buffers outside React. */
export interface FleetHistory {
  /** One sample: its figures, or a gap while it is away. */
  readonly push: (box: FleetBox) => void;
  readonly forget: (id: string) => void;
  /** The last `windowSec` of a box. */
  readonly read: (id: string, series: BoxSeries, windowSec: number) => BoxColumns;
  /** Called after every sample of that box: no React state in there. @returns the way to stop. */
  readonly subscribe: (id: string, listener: () => void) => () => void;
}

/** Five minutes at two samples a second. */
const CAPACITY = 600;

interface Ring {
  readonly timeMs: Float64Array;
  readonly columns: Readonly<Record<BoxSeries, Float32Array>>;
  written: number;
}

function createRing(capacity: number): Ring {
  const columns = Object.fromEntries(BOX_SERIES.map((name) => [name, new Float32Array(capacity)]));
  return { timeMs: new Float64Array(capacity), columns: columns as Ring['columns'], written: 0 };
}

function valueOf({ state, figures, roundTripMs }: FleetBox, series: BoxSeries): number {
  if (state !== 'online' || figures === undefined) return Number.NaN;
  if (series === 'roundTripMs') return roundTripMs ?? Number.NaN;
  if (series === 'medianResponseMs') return figures.decisions?.medianResponseMs ?? Number.NaN;
  return figures[series];
}

/** `nowMs`: monotonic milliseconds. */
export function createFleetHistory(nowMs: () => number, capacity = CAPACITY): FleetHistory {
  const rings = new Map<string, Ring>();
  const listeners = new Map<string, Set<() => void>>();
  return {
    push: (box) => {
      const ring = rings.get(box.id) ?? createRing(capacity);
      rings.set(box.id, ring);
      const slot = ring.written % capacity;
      ring.timeMs[slot] = nowMs();
      for (const name of BOX_SERIES) ring.columns[name][slot] = valueOf(box, name);
      ring.written += 1;
      for (const listener of listeners.get(box.id) ?? []) listener();
    },
    forget: (id) => void rings.delete(id),
    read: (id, series, windowSec) => {
      const seconds: number[] = [];
      const values: (number | null)[] = [];
      const ring = rings.get(id);
      if (ring === undefined) return [seconds, values];
      const count = Math.min(ring.written, capacity);
      const lastMs = ring.timeMs[(ring.written - 1) % capacity] ?? 0;
      for (let back = count; back > 0; back -= 1) {
        const slot = (ring.written - back) % capacity;
        const sec = ((ring.timeMs[slot] ?? 0) - lastMs) / 1000;
        if (sec < -windowSec) continue;
        const value = ring.columns[series][slot] ?? Number.NaN;
        seconds.push(sec);
        values.push(Number.isFinite(value) ? value : null);
      }
      return [seconds, values];
    },
    subscribe: (id, listener) => {
      const set = listeners.get(id) ?? new Set();
      listeners.set(id, set);
      set.add(listener);
      return () => {
        set.delete(listener);
        if (set.size === 0) listeners.delete(id);
      };
    },
  };
}
