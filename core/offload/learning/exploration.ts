import type { Random } from '../../base';
import { ACCURACY_TOLERANCE_PCT } from '../scenario/system';
import type { System } from '../scenario/system';
import { isAllowed, mostAccurateAction } from './constraints';
import type { Constraints } from './constraints';

/** Linear decay of the share of exploring decisions. */
export interface EpsilonSchedule {
  readonly start: number;
  readonly end: number;
  readonly decaySteps: number;
}

/** Share of decisions that explore, 0..1: falls from `start` to `end` in a line, and stays there. */
export function epsilonAt({ start, end, decaySteps }: EpsilonSchedule, step: number): number {
  return step >= decaySteps ? end : start + ((end - start) * step) / decaySteps;
}

/** Whether a decision is one of those that explore. */
export function exploresAt(schedule: EpsilonSchedule, step: number, random: Random): boolean {
  return random() < epsilonAt(schedule, step);
}

/**
 * A random joint action that meets the threshold. Each user's choice is drawn uniformly; while the mean accuracy is
 * too low, a random user's choice is drawn anew among that user's more accurate ones. So every action that meets the
 * threshold can come, those drawn at once uniformly, and never one below it (unless nothing allowed reaches it: then
 * the most accurate action).
 */
export function randomAction(
  system: System,
  constraints: Constraints,
  random: Random,
  action: Uint8Array,
): void {
  const { users, choices, choiceAccuracyPct } = system;
  const reachPct = mostAccurateAction(system, constraints, action);
  if (reachPct < constraints.thresholdPct - ACCURACY_TOLERANCE_PCT) return;
  let sumPct = 0;
  for (let user = 0; user < users; user += 1) {
    let choice = Math.floor(random() * choices);
    while (!isAllowed(system, constraints, user, choice)) choice = Math.floor(random() * choices);
    action[user] = choice;
    sumPct += choiceAccuracyPct[choice]!;
  }
  const needPct = (constraints.thresholdPct - ACCURACY_TOLERANCE_PCT) * users;
  while (sumPct < needPct) {
    const user = Math.floor(random() * users);
    const choice = Math.floor(random() * choices);
    const gainPct = choiceAccuracyPct[choice]! - choiceAccuracyPct[action[user]!]!;
    if (gainPct <= 0 || !isAllowed(system, constraints, user, choice)) continue;
    action[user] = choice;
    sumPct += gainPct;
  }
}
