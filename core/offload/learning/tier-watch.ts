import { ChangeDetector } from './change-detector';
import type { RoundError } from './service-curves';

/** Rounds after which a tier that decisions leave alone is first measured again, and the longest wait. */
const FIRST_WAIT = 10;
const LONGEST_WAIT = 40;

/** What a round told of a tier. */
export interface RoundVerdict {
  /** Its measurements are further from the predictions than `surprisePct`. */
  readonly surprised: boolean;
  /** It has changed: in how many rounds it was measured since. */
  readonly changedSince?: number;
}

/**
 * Compares a tier's measurements with what was predicted, round by round, and tells when to measure it again although
 * decisions leave it alone: what became slow may have recovered unseen. That wait doubles each time it turns out as
 * predicted, and ends while a change is suspected.
 */
export class TierWatch {
  private readonly changes = new ChangeDetector();
  private wait = FIRST_WAIT;
  private idleRounds = 0;
  /** The last measurements were of something never met: they say nothing about a change. */
  private isBlind = false;

  constructor(private readonly surprisePct: number) {}

  /** Whether a change is suspected: nothing should be learned of the tier until that is settled. */
  get suspects(): boolean {
    return this.changes.suspects && !this.isBlind;
  }

  get isProbeDue(): boolean {
    return this.idleRounds >= this.wait || this.suspects;
  }

  observe({ measured, logRatio }: RoundError): RoundVerdict {
    if (measured === 0) {
      this.idleRounds += 1;
      return { surprised: false };
    }
    this.isBlind = logRatio === undefined;
    const surprised = Math.abs(logRatio ?? 0) > Math.log1p(this.surprisePct / 100);
    if (surprised) this.wait = FIRST_WAIT;
    else if (this.idleRounds >= this.wait) this.wait = Math.min(LONGEST_WAIT, this.wait * 2);
    this.idleRounds = 0;
    const changedSince = this.changes.observe(logRatio);
    return { surprised, ...(changedSince !== undefined && { changedSince }) };
  }
}
