import type { MeasuredPoint, PipelineMode, RunStats } from '../../contract';

/** Latencies kept: 10,000 inferences decide p99 by 100 of them. */
const KEPT = 10_000;
/** The first inference learns shapes and starts with an empty ring; a measurement leaves it out. */
const WARM_UPS = 1;
/** Fewer say little. */
const LEAST_MEASURED = 3;

export interface InferenceFigures {
  readonly totalMs: number;
  readonly stallMs: number;
  readonly readBytes: number;
}

/** Latencies of one run. The latest 10,000 decide the quantiles. */
export class LatencyRecord {
  private readonly kept: number[] = [];
  private count = 0;
  private missed = 0;
  private last: InferenceFigures = { totalMs: 0, stallMs: 0, readBytes: 0 };

  get inferences(): number {
    return this.count;
  }

  add(figures: InferenceFigures): void {
    this.kept[this.count % KEPT] = figures.totalMs;
    this.count += 1;
    this.last = figures;
  }

  addMissed(deadlines: number): void {
    this.missed += deadlines;
  }

  /** Undefined before the first inference. */
  stats(): RunStats | undefined {
    if (this.count === 0) return undefined;
    const sorted = Float64Array.from(this.kept).sort();
    return {
      inferences: this.count,
      medianMs: quantile(sorted, 0.5),
      p50Ms: quantile(sorted, 0.5),
      p99Ms: quantile(sorted, 0.99),
      lastMs: this.last.totalMs,
      lastStallMs: this.last.stallMs,
      readBytesLast: this.last.readBytes,
      missedDeadlines: this.missed,
    };
  }

  /** Latency at a budget, warm-up left out; undefined while there are fewer than 3 inferences after it. */
  measurement(mode: PipelineMode, budgetBytes: number): MeasuredPoint | undefined {
    const warm = this.count > KEPT ? this.kept : this.kept.slice(WARM_UPS);
    if (warm.length < LEAST_MEASURED) return undefined;
    const sorted = Float64Array.from(warm).sort();
    return {
      budgetBytes,
      mode,
      medianMs: quantile(sorted, 0.5),
      p10Ms: quantile(sorted, 0.1),
      p90Ms: quantile(sorted, 0.9),
      runs: sorted.length,
    };
  }
}

/** Linear between the two nearest of the ascending values. */
export function quantile(sorted: Float64Array, fraction: number): number {
  const at = (sorted.length - 1) * fraction;
  const low = sorted[Math.floor(at)] ?? NaN;
  const high = sorted[Math.ceil(at)] ?? NaN;
  return low + (high - low) * (at - Math.floor(at));
}
