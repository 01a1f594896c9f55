import { ChangeDetector } from './change-detector';

/** Rounds after which a tier that decisions leave alone is first measured again, and the longest wait. */
const FIRST_WAIT = 10;
const LONGEST_WAIT = 40;

/** What a round told of a tier. */
export interface RoundVerdict {
  /** Its measurements are further from the predictions than `surprisePct`. */
  readonly surprised: boolean;
  /** It has changed: how many measurements are from after the change. */
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
  private logRatioSum = 0;
  private familiar = 0;
  private measured = 0;
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

  /** @param logRatio of measured over predicted; undefined where nothing was to be expected. */
  add(logRatio: number | undefined): void {
    this.measured += 1;
    if (logRatio === undefined) return;
    this.familiar += 1;
    this.logRatioSum += logRatio;
  }

  endRound(): RoundVerdict {
    const { familiar, measured } = this;
    const logRatio = familiar === 0 ? 0 : this.logRatioSum / familiar;
    this.logRatioSum = 0;
    this.familiar = 0;
    this.measured = 0;
    if (measured === 0) {
      this.idleRounds += 1;
      return { surprised: false };
    }
    this.isBlind = familiar === 0;
    const surprised = Math.abs(logRatio) > Math.log1p(this.surprisePct / 100);
    if (surprised) this.wait = FIRST_WAIT;
    else if (this.idleRounds >= this.wait) this.wait = Math.min(LONGEST_WAIT, this.wait * 2);
    this.idleRounds = 0;
    const changedSince = familiar === 0 ? undefined : this.changes.observe(logRatio, measured);
    return { surprised, ...(changedSince !== undefined && { changedSince }) };
  }
}
