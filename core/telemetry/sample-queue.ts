import { TELEMETRY_SERIES } from '../contract';
import type { TelemetryBatch, TelemetrySeries } from '../contract';
import type { Readings } from './sampler';

/** A bounded first-in first-out queue of samples for one receiver. When full, the oldest sample is lost and counted. */
export class SampleQueue {
  readonly #timeMs: Float64Array;
  readonly #values: Readonly<Record<TelemetrySeries, Float32Array>>;
  #first = 0;
  #length = 0;
  #dropped = 0;

  constructor(readonly capacity: number) {
    this.#timeMs = new Float64Array(capacity);
    this.#values = bySeries(() => new Float32Array(capacity));
  }

  get length(): number {
    return this.#length;
  }

  /** Epoch time of the oldest sample, ms; NaN when empty. */
  get oldestMs(): number {
    return this.#length > 0 ? (this.#timeMs[this.#first] ?? NaN) : NaN;
  }

  push(timeMs: number, readings: Readings): void {
    if (this.#length === this.capacity) {
      this.#first = (this.#first + 1) % this.capacity;
      this.#length -= 1;
      this.#dropped += 1;
    }
    const at = (this.#first + this.#length) % this.capacity;
    this.#timeMs[at] = timeMs;
    for (const series of TELEMETRY_SERIES) this.#values[series][at] = readings[series] ?? NaN;
    this.#length += 1;
  }

  /** A copy of everything queued, oldest first. The receiver owns (and may transfer) its arrays. */
  peek(): TelemetryBatch {
    const copy = <T extends Float32Array | Float64Array>(from: T, to: T): T => {
      const untilEnd = Math.min(this.#length, this.capacity - this.#first);
      to.set(from.subarray(this.#first, this.#first + untilEnd));
      to.set(from.subarray(0, this.#length - untilEnd), untilEnd);
      return to;
    };
    return {
      timeMs: copy(this.#timeMs, new Float64Array(this.#length)),
      series: bySeries((series) => copy(this.#values[series], new Float32Array(this.#length))),
      dropped: this.#dropped,
    };
  }

  clear(): void {
    this.#first = 0;
    this.#length = 0;
  }
}

function bySeries(make: (series: TelemetrySeries) => Float32Array): Record<TelemetrySeries, Float32Array> {
  const columns: Partial<Record<TelemetrySeries, Float32Array>> = {};
  for (const series of TELEMETRY_SERIES) columns[series] = make(series);
  return columns as Record<TelemetrySeries, Float32Array>;
}
