/** Changes smaller than this are left to ordinary learning. As a logarithm of a ratio, as all figures here. */
const SLACK = 0.2;
/** What one round counts at most: a single outlier, however large, is no change. */
const MOST_PER_ROUND = 0.4;
const ALARM = 1;
/** What one round far off counts. Less is noise, or an error that ordinary learning mends. */
const SUSPICION = MOST_PER_ROUND;
/** Sums of decimals in binary fall short of theirs by a hair. */
const ROUNDING = 1e-9;

/**
 * Tells when measurements are persistently above or below what is predicted: Page's two-sided cumulative sum (1954) of
 * log(measured / predicted). A change by half is told after five rounds in a row, one to double or more after three.
 */
export class ChangeDetector {
  private readonly slower = new Side();
  private readonly faster = new Side();

  /** Whether something points to a change, but not enough yet. */
  get suspects(): boolean {
    return Math.max(this.slower.sum, this.faster.sum) >= SUSPICION - ROUNDING;
  }

  /**
   * @param logRatio mean over a round's `samples` of log(measured / predicted).
   * @returns how many samples were measured since the change began; undefined when there is none. Starts anew then.
   */
  observe(logRatio: number, samples: number): number | undefined {
    const since = this.slower.add(logRatio, samples) ?? this.faster.add(-logRatio, samples);
    if (since !== undefined) {
      this.slower.reset();
      this.faster.reset();
    }
    return since;
  }
}

/** One direction. */
class Side {
  sum = 0;
  private samples = 0;

  add(logRatio: number, samples: number): number | undefined {
    this.sum += Math.min(logRatio, MOST_PER_ROUND + SLACK) - SLACK;
    this.samples += samples;
    if (this.sum <= ROUNDING) this.reset();
    return this.sum >= ALARM - ROUNDING ? this.samples : undefined;
  }

  reset(): void {
    this.sum = 0;
    this.samples = 0;
  }
}
