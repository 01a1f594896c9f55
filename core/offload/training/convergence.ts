export interface ConvergenceRule {
  /** Gaps up to this count as converged, percent. */
  readonly gapPct: number;
  /** It must stay so for this share of the steps it took, and at least `leastSteps`. */
  readonly patienceShare: number;
  readonly leastSteps: number;
}

export const WITHIN_ONE_PERCENT: ConvergenceRule = { gapPct: 1, patienceShare: 0.5, leastSteps: 200 };

/** Finds the real step from which the optimality gap stays within a limit. */
export class ConvergenceDetector {
  private since: number | undefined;
  private last = 0;

  constructor(private readonly rule: ConvergenceRule) {}

  /** Tells the gap after a step; steps rise. */
  observe(step: number, gapPct: number): void {
    this.last = step;
    if (gapPct > this.rule.gapPct) this.since = undefined;
    else this.since ??= step;
  }

  /** The step from which the gap stayed within the limit for long enough; undefined while it did not. */
  get convergedAt(): number | undefined {
    if (this.since === undefined) return undefined;
    const patience = Math.max(this.rule.leastSteps, this.since * this.rule.patienceShare);
    return this.last - this.since >= patience ? this.since : undefined;
  }
}
