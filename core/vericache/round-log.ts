import type { RoundRecord } from '../contract';
import type { RoundFigures } from './draft-length';
import type { SwappedCache } from './swapped-cache';

/** When a round's parts began and ended, on the clock of the source, and what came of its draft. */
export interface PlayedRound {
  readonly startMs: number;
  readonly draftedMs: number;
  readonly verifiedMs: number;
  readonly drafted: number;
  /** Of the drafted tokens, those that a proposer gave. */
  readonly proposed: number;
  readonly accepted: number;
}

/** Numbers the rounds of a reply and tells of each: times, and bytes read since the one before. */
export class RoundLog {
  private rounds = 0;
  private startMs = 0;
  private readBytes = 0;

  constructor(private readonly onRound: ((round: RoundRecord) => void) | undefined) {}

  /** Of another reply. */
  restart(nowMs: number): void {
    this.rounds = 0;
    this.startMs = nowMs;
  }

  /** @returns what the choice of the next draft's length learns from. */
  add(round: PlayedRound, { slots, waitMs }: SwappedCache): RoundFigures {
    const { startMs, draftedMs, verifiedMs, drafted, proposed, accepted } = round;
    const draftMs = draftedMs - startMs;
    const verifyMs = verifiedMs - draftedMs;
    const readBytes = slots.readBytes - this.readBytes;
    this.readBytes = slots.readBytes;
    this.onRound?.({
      index: this.rounds,
      startMs: startMs - this.startMs,
      draftMs,
      swapMs: waitMs,
      verifyMs: verifyMs - waitMs,
      drafted,
      proposed,
      accepted,
      readBytes,
    });
    this.rounds += 1;
    return { drafted, accepted, draftMs, verifyMs };
  }
}
