import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import { TELEMETRY_SERIES } from '../../core/contract';
import type { TelemetryBatch, TelemetrySeries } from '../../core/contract';

/** Latest value of each series, NaN where the machine exposes none, at a pace a person can read. */
export interface TelemetryLatest {
  readonly values: Readonly<Record<TelemetrySeries, number>>;
  /** Samples lost since the engine started. */
  readonly dropped: number;
}

export interface TelemetryHub {
  /** For figures in text: changes at most twice a second. Undefined before the first batch. */
  readonly latest: StoreApi<{ readonly latest: TelemetryLatest | undefined }>;
  /**
   * The last samples, oldest first, into the caller's arrays (both `[capacity]`), for canvases that draw on their own.
   * @returns how many were written.
   */
  readonly copyHistory: (series: TelemetrySeries, timeMs: Float64Array, values: Float32Array) => number;
  readonly capacity: number;
  /** Called after every batch (10 to 20 a second): no React state in there. Returns the way to stop. */
  readonly subscribe: (listener: () => void) => () => void;
  readonly push: (batch: TelemetryBatch) => void;
}

/** Ten minutes at ten samples a second. */
const CAPACITY = 6_000;
const LATEST_EVERY_MS = 500;

function emptyLatest(): Record<TelemetrySeries, number> {
  return Object.fromEntries(TELEMETRY_SERIES.map((name) => [name, Number.NaN])) as Record<
    TelemetrySeries,
    number
  >;
}

function emptyColumns(capacity: number): Record<TelemetrySeries, Float32Array> {
  return Object.fromEntries(TELEMETRY_SERIES.map((name) => [name, new Float32Array(capacity)])) as Record<
    TelemetrySeries,
    Float32Array
  >;
}

/** Ring buffers of samples outside React. `nowMs`: monotonic milliseconds. */
export function createTelemetryHub(nowMs: () => number, capacity = CAPACITY): TelemetryHub {
  const times = new Float64Array(capacity);
  const columns = emptyColumns(capacity);
  const listeners = new Set<() => void>();
  const latest = createStore<{ readonly latest: TelemetryLatest | undefined }>(() => ({ latest: undefined }));
  let written = 0;
  let publishedMs = -Infinity;

  const append = (batch: TelemetryBatch): void => {
    for (let i = 0; i < batch.timeMs.length; i++) {
      const slot = written % capacity;
      times[slot] = batch.timeMs[i] ?? Number.NaN;
      for (const name of TELEMETRY_SERIES) columns[name][slot] = batch.series[name][i] ?? Number.NaN;
      written += 1;
    }
  };

  const publish = (batch: TelemetryBatch): void => {
    const last = batch.timeMs.length - 1;
    if (last < 0 || nowMs() - publishedMs < LATEST_EVERY_MS) return;
    publishedMs = nowMs();
    const values = emptyLatest();
    for (const name of TELEMETRY_SERIES) values[name] = batch.series[name][last] ?? Number.NaN;
    latest.setState({ latest: { values, dropped: batch.dropped } });
  };

  return {
    latest,
    capacity,
    copyHistory: (series, timeMs, values) => {
      const count = Math.min(written, capacity, timeMs.length, values.length);
      const column = columns[series];
      for (let i = 0; i < count; i++) {
        const slot = (written - count + i) % capacity;
        timeMs[i] = times[slot] ?? Number.NaN;
        values[i] = column[slot] ?? Number.NaN;
      }
      return count;
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    push: (batch) => {
      append(batch);
      publish(batch);
      for (const listener of listeners) listener();
    },
  };
}
