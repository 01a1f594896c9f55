/** Changes smaller than this are left to ordinary learning. As a logarithm of a ratio, as all figures here. */
const SLACK = 0.2;
/** What one round counts at most: a single outlier, however large, is no change. */
const MOST_PER_ROUND = 0.4;
const ALARM = 1;
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
    return this.slower.sum > 0 || this.faster.sum > 0;
  }

  /**
   * @param logRatio mean over a round's measurements of log(measured / predicted).
   * @returns how many rounds it was since the change began; undefined when there is none. Starts anew then.
   */
  observe(logRatio: number): number | undefined {
    const since = this.slower.add(logRatio) ?? this.faster.add(-logRatio);
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
  private rounds = 0;

  add(logRatio: number): number | undefined {
    this.sum += Math.min(logRatio, MOST_PER_ROUND + SLACK) - SLACK;
    this.rounds += 1;
    if (this.sum <= ROUNDING) this.reset();
    return this.sum >= ALARM - ROUNDING ? this.rounds : undefined;
  }

  reset(): void {
    this.sum = 0;
    this.rounds = 0;
  }
}
