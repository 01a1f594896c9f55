/** Changes smaller than this are left to ordinary learning. As a logarithm of a ratio, as all figures here. */
const SLACK = 0.2;
/** What one round counts at most: a single outlier, however large, is no change. */
const MOST_PER_ROUND = 0.4;
const ALARM = 1;
/** What one round far off counts. Less is noise, or an error that ordinary learning mends. */
const SUSPICION = MOST_PER_ROUND;
/** Sums of decimals in binary fall short of theirs by a hair. */
const ROUNDING = 1e-9;
/** A suspicion that is no certainty after so many rounds is dropped, and none is had for as many. */
const PATIENCE_ROUNDS = 10;

/**
 * Tells when measurements are persistently above or below what is predicted: Page's two-sided cumulative sum (1954) of
 * log(measured / predicted). A change by half is told after five rounds in a row, one to double or more after three.
 */
export class ChangeDetector {
  private slower = 0;
  private faster = 0;
  private slowerRounds = 0;
  private fasterRounds = 0;
  private quietRounds = 0;

  /** Whether something points to a change, but not enough yet. */
  get suspects(): boolean {
    return Math.max(this.slower, this.faster) >= SUSPICION - ROUNDING;
  }

  /**
   * @param logRatio mean over a round's measurements of log(measured / predicted); absent where nothing was expected.
   * @returns how many rounds it was since the change began; undefined when there is none. Starts anew then.
   */
  observe(logRatio?: number): number | undefined {
    if (this.quietRounds > 0) {
      this.quietRounds -= 1;
      return undefined;
    }
    if (logRatio !== undefined) {
      this.slower = added(this.slower, logRatio);
      this.faster = added(this.faster, -logRatio);
    }
    this.slowerRounds = this.slower > 0 ? this.slowerRounds + 1 : 0;
    this.fasterRounds = this.faster > 0 ? this.fasterRounds + 1 : 0;
    if (this.slower >= ALARM - ROUNDING) return this.reset(this.slowerRounds);
    if (this.faster >= ALARM - ROUNDING) return this.reset(this.fasterRounds);
    if (Math.max(this.slowerRounds, this.fasterRounds) >= PATIENCE_ROUNDS) {
      this.quietRounds = PATIENCE_ROUNDS;
      this.reset(0);
    }
    return undefined;
  }

  private reset(rounds: number): number {
    this.slower = 0;
    this.faster = 0;
    this.slowerRounds = 0;
    this.fasterRounds = 0;
    return rounds;
  }
}

function added(sum: number, logRatio: number): number {
  const next = sum + Math.min(logRatio, MOST_PER_ROUND + SLACK) - SLACK;
  return next > ROUNDING ? next : 0;
}
