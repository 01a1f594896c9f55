import { SluiceError } from '../../contract';
import { ACCURACY_TOLERANCE_PCT, meanAccuracyPct } from '../scenario/system';
import type { System } from '../scenario/system';

/** What a decision must respect. */
export interface Constraints {
  /** Least mean accuracy over users, percent. */
  readonly thresholdPct: number;
  /** [users, choices] row-major, 1 for what a user may be given: pins, dead endpoints and agents' own limits. */
  readonly allowed: Uint8Array;
}

/** Everything is allowed. */
export function freeConstraints(system: System, thresholdPct: number): Constraints {
  return { thresholdPct, allowed: new Uint8Array(system.users * system.choices).fill(1) };
}

/** Whether a user may be given a choice. */
export function isAllowed(system: System, { allowed }: Constraints, user: number, choice: number): boolean {
  return allowed[user * system.choices + choice] === 1;
}

/** @param action [users]. @returns whether its mean accuracy is not below the threshold. */
export function meetsThreshold(system: System, { thresholdPct }: Constraints, action: Uint8Array): boolean {
  return meanAccuracyPct(system, action) >= thresholdPct - ACCURACY_TOLERANCE_PCT;
}

/**
 * Fills `action` with each user's most accurate allowed choice, the first of equals.
 * @returns its mean accuracy: when it is below the threshold nothing allowed reaches it.
 * @throws SluiceError `conflict` when a user is allowed nothing.
 */
export function mostAccurateAction(system: System, constraints: Constraints, action: Uint8Array): number {
  const { users, choices, choiceAccuracyPct } = system;
  for (let user = 0; user < users; user += 1) {
    let best = -1;
    for (let choice = 0; choice < choices; choice += 1) {
      if (!isAllowed(system, constraints, user, choice)) continue;
      if (best < 0 || choiceAccuracyPct[choice]! > choiceAccuracyPct[best]!) best = choice;
    }
    if (best < 0) {
      throw new SluiceError(
        'conflict',
        `User ${user}: no tier and variant is left to choose from; remove a pin or restore an endpoint.`,
        { user },
      );
    }
    action[user] = best;
  }
  return meanAccuracyPct(system, action);
}
