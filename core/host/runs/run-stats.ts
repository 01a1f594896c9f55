import { median, quantile } from '../../base';
import type { MeasuredPoint, PipelineMode, RunStats } from '../../contract';

/** Latencies kept: enough that 20 of them decide p99, few enough to sort ten times a second. */
const KEPT = 2000;
/** The first inference after loading learns shapes and starts with an empty ring; a measurement leaves it out. */
const WARM_UPS = 1;

export interface InferenceFigures {
  readonly totalMs: number;
  readonly stallMs: number;
  readonly readBytes: number;
}

/** Latencies of one run. The latest 2,000 decide the quantiles. */
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
    const medianMs = median(this.kept);
    return {
      inferences: this.count,
      medianMs,
      p50Ms: medianMs,
      p99Ms: quantile(this.kept, 0.99),
      lastMs: this.last.totalMs,
      lastStallMs: this.last.stallMs,
      readBytesLast: this.last.readBytes,
      missedDeadlines: this.missed,
    };
  }

  /**
   * Latency at a budget, warm-up left out; undefined when nothing is left.
   * @param wasWarm the same input has run before on what was loaded: there was no warm-up.
   */
  measurement(mode: PipelineMode, budgetBytes: number, wasWarm: boolean): MeasuredPoint | undefined {
    const warm = wasWarm || this.count > KEPT ? this.kept : this.kept.slice(WARM_UPS);
    if (warm.length === 0) return undefined;
    return {
      budgetBytes,
      mode,
      medianMs: median(warm),
      p10Ms: quantile(warm, 0.1),
      p90Ms: quantile(warm, 0.9),
      runs: warm.length,
    };
  }
}
