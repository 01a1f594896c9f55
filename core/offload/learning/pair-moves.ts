import type { System } from '../scenario/system';
import { IMPROVEMENT_MS, type JointAction } from './joint-action';

/** Moves of several users tried in one search: some states offer so many that time would run out. */
const MOST_TRIES = 8;

/**
 * Moves of several users at once: one takes a faster choice that the threshold forbids, and others make up for the lost
 * accuracy. Finds what no single change within the threshold leads to.
 */
export class PairMoves {
  private readonly before: Uint8Array;

  constructor(
    private readonly system: System,
    private readonly action: JointAction,
  ) {
    this.before = new Uint8Array(system.users);
  }

  /** Leaves the action at the best it came to. */
  run(): void {
    const { action } = this;
    const { users, choices } = this.system;
    let tries = 0;
    for (let first = 0; first < users; first += 1) {
      for (let choice = 0; choice < choices; choice += 1) {
        const at = action.probeAll(first);
        if (!this.isWorthATry(at, first, choice)) continue;
        if (action.probedMs[at + choice]! + this.aboutToRestore(first, choice) >= action.costMs) continue;
        if (tries === MOST_TRIES) return;
        tries += 1;
        const beforeMs = action.costMs;
        this.before.set(action.choices);
        action.change(first, choice);
        if (this.restore(first, beforeMs)) action.descend(0, true);
        else action.goBack(this.before);
      }
    }
  }

  /** Faster, below the threshold, and no other choice is both as fast and as accurate. */
  private isWorthATry(at: number, user: number, choice: number): boolean {
    const { choices, choiceAccuracyPct } = this.system;
    const { probedMs, costMs, sumPct, needPct } = this.action;
    const ms = probedMs[at + choice]!;
    const accuracyPct = choiceAccuracyPct[choice]!;
    if (ms >= costMs) return false;
    if (sumPct + accuracyPct - choiceAccuracyPct[this.action.choices[user]!]! >= needPct) return false;
    for (let other = 0; other < choices; other += 1) {
      if (other === choice || choiceAccuracyPct[other]! < accuracyPct) continue;
      if (probedMs[at + other]! < ms) return false;
    }
    return true;
  }

  /** About what it costs others to make up for a choice, ms: the best rate there is before it is made. */
  private aboutToRestore(first: number, choice: number): number {
    const { action } = this;
    const { users, choices, choiceAccuracyPct } = this.system;
    const lackPct =
      action.needPct -
      action.sumPct +
      choiceAccuracyPct[action.choices[first]!]! -
      choiceAccuracyPct[choice]!;
    let least = Infinity;
    for (let user = 0; user < users; user += 1) {
      if (user === first) continue;
      const at = action.probeAll(user);
      const ownPct = choiceAccuracyPct[action.choices[user]!]!;
      for (let other = 0; other < choices; other += 1) {
        const gainPct = choiceAccuracyPct[other]! - ownPct;
        if (gainPct > 0) least = Math.min(least, (action.probedMs[at + other]! - action.costMs) / gainPct);
      }
    }
    return Math.max(0, least) * lackPct;
  }

  /**
   * Gives other users more accurate choices, the least cost for each percentage point first, until the threshold is met
   * again. @returns whether it is, at less than `limitMs`.
   */
  private restore(first: number, limitMs: number): boolean {
    const { action } = this;
    const { users, choices, choiceAccuracyPct } = this.system;
    while (!action.meetsThreshold) {
      const lackPct = action.needPct - action.sumPct;
      let bestUser = -1;
      let bestChoice = -1;
      let bestRate = Infinity;
      for (let user = 0; user < users; user += 1) {
        if (user === first) continue;
        const at = action.probeAll(user);
        const ownPct = choiceAccuracyPct[action.choices[user]!]!;
        for (let choice = 0; choice < choices; choice += 1) {
          const gainPct = choiceAccuracyPct[choice]! - ownPct;
          if (gainPct <= 0) continue;
          const rate = (action.probedMs[at + choice]! - action.costMs) / Math.min(gainPct, lackPct);
          if (rate >= bestRate) continue;
          bestUser = user;
          bestChoice = choice;
          bestRate = rate;
        }
      }
      if (bestUser < 0) return false;
      action.change(bestUser, bestChoice);
      if (action.costMs >= limitMs - IMPROVEMENT_MS) return false;
    }
    return true;
  }
}
