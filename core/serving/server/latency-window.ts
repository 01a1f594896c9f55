const MOST_SAMPLES = 512;

/** Milliseconds. */
export interface Latency {
  readonly medianMs: number;
  readonly p95Ms: number;
}

/** How long the last requests took. */
export class LatencyWindow {
  private readonly samples: number[] = [];
  private next = 0;

  add(ms: number): void {
    this.samples[this.next] = ms;
    this.next = (this.next + 1) % MOST_SAMPLES;
  }

  /** Undefined before the first. */
  get latency(): Latency | undefined {
    if (this.samples.length === 0) return undefined;
    const sorted = this.samples.toSorted((a, b) => a - b);
    return { medianMs: nearestRank(sorted, 0.5), p95Ms: nearestRank(sorted, 0.95) };
  }
}

function nearestRank(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
}
