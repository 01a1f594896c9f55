import type { TelemetrySeries } from '../../../core/contract';
import type { TelemetryHub } from '../../stores';

/** Columns for a chart: seconds before the latest sample (negative), then each series; null where there is no value. */
export type ChartData = [number[], ...(number | null)[][]];

export interface HistoryLine {
  readonly series: TelemetrySeries;
  readonly factor: number;
}

/** Reads the last `windowSec` of telemetry for charts, through buffers that are made once. */
export class History {
  readonly #timeMs: Float64Array;
  readonly #values: Float32Array;

  constructor(readonly hub: Pick<TelemetryHub, 'copyHistory' | 'capacity'>) {
    this.#timeMs = new Float64Array(hub.capacity);
    this.#values = new Float32Array(hub.capacity);
  }

  read(lines: readonly HistoryLine[], windowSec: number): ChartData {
    const seconds: number[] = [];
    const columns = lines.map(({ series, factor }, line) => {
      const count = this.hub.copyHistory(series, this.#timeMs, this.#values);
      const lastMs = this.#timeMs[count - 1] ?? 0;
      const column: (number | null)[] = [];
      // Half a second more than the window, so that the line reaches its left edge.
      for (let i = firstInWindow(this.#timeMs, count, lastMs - windowSec * 1000 - 500); i < count; i += 1) {
        if (line === 0) seconds.push((this.#timeMs[i]! - lastMs) / 1000);
        const value = this.#values[i]! * factor;
        column.push(Number.isFinite(value) ? value : null);
      }
      return column;
    });
    return [seconds, ...columns];
  }
}

function firstInWindow(timeMs: Float64Array, count: number, fromMs: number): number {
  let first = count;
  while (first > 0 && timeMs[first - 1]! >= fromMs) first -= 1;
  return first;
}
