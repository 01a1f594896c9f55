import type { RoundRecord } from '../../core/contract';
import { MIN_WINDOW_US, wholeTrace } from './time-scale';
import type { TimeWindow } from './time-scale';

/** Rounds over which acceptance is taken for its line. */
const ACCEPTANCE_ROUNDS = 16;
/** While a reply is written, at least this much of the axis shows: one round alone says nothing about the next. */
const LEAST_RUNNING_US = 1_000_000;

export function startUs(round: RoundRecord): number {
  return round.startMs * 1000;
}

/** End of a round, µs. Draft, swap and verification are drawn one after the other; in truth the last two alternate. */
export function endUs({ startMs, draftMs, swapMs, verifyMs }: RoundRecord): number {
  return (startMs + draftMs + swapMs + verifyMs) * 1000;
}

/** The widest window there is. */
export function boundsOf(rounds: readonly RoundRecord[], isRunning: boolean): TimeWindow {
  const last = rounds.at(-1);
  const lastUs = last === undefined ? MIN_WINDOW_US : endUs(last);
  return wholeTrace(isRunning ? Math.max(lastUs, LEAST_RUNNING_US) : lastUs);
}

/** Index of the first round that ends after a moment; the number of rounds when none does. */
export function firstAfter(rounds: readonly RoundRecord[], us: number): number {
  let low = 0;
  let high = rounds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (endUs(rounds[middle]!) <= us) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the round a moment lies in. */
export function roundAt(rounds: readonly RoundRecord[], us: number): number | undefined {
  const index = firstAfter(rounds, us);
  const round = rounds[index];
  return round !== undefined && startUs(round) <= us ? index : undefined;
}

/** Accepted over drafted tokens of the last rounds up to each, 0 to 1; NaN while nothing was drafted. */
export function acceptanceOver(rounds: readonly RoundRecord[]): Float32Array {
  let accepted = 0;
  let drafted = 0;
  return Float32Array.from(rounds, (round, index) => {
    accepted += round.accepted;
    drafted += round.drafted;
    const old = rounds[index - ACCEPTANCE_ROUNDS];
    if (old !== undefined) {
      accepted -= old.accepted;
      drafted -= old.drafted;
    }
    return drafted === 0 ? Number.NaN : accepted / drafted;
  });
}

/** Index of the next round from `from` on that waited for the full cache a tenth of its time or more. */
export function nextSwap(rounds: readonly RoundRecord[], from: number): number | undefined {
  const found = rounds.findIndex(
    (round, index) =>
      index >= from && round.swapMs * 10 >= round.draftMs + round.swapMs + round.verifyMs && round.swapMs > 0,
  );
  return found === -1 ? undefined : found;
}
