import type { Constraints } from '../learning/constraints';
import { isAllowed, mostAccurateAction } from '../learning/constraints';
import { tierName } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import type { Agent } from './agent';

/** Always the same tier with its most accurate variant; elsewhere only for users who may not use that tier. */
export class FixedTierAgent implements Agent {
  readonly id: string;

  constructor(
    readonly system: System,
    private readonly tier: number,
  ) {
    this.id = tierName(tier) === 'device' ? 'local-only' : `${tierName(tier)}-only`;
  }

  decide(_state: SystemState, constraints: Constraints, action: Uint8Array): void {
    const { users, choices, choiceTier, choiceAccuracyPct } = this.system;
    mostAccurateAction(this.system, constraints, action);
    for (let user = 0; user < users; user += 1) {
      let best = -1;
      for (let choice = 0; choice < choices; choice += 1) {
        if (choiceTier[choice] !== this.tier || !isAllowed(this.system, constraints, user, choice)) continue;
        if (best < 0 || choiceAccuracyPct[choice]! > choiceAccuracyPct[best]!) best = choice;
      }
      if (best >= 0) action[user] = best;
    }
  }

  explore(state: SystemState, constraints: Constraints, action: Uint8Array): boolean {
    this.decide(state, constraints, action);
    return false;
  }

  learn(): void {
    // There is nothing to learn.
  }

  predictMs(): undefined {
    return undefined;
  }

  memory(): undefined {
    return undefined;
  }

  restore(): void {
    // Nothing was learned.
  }
}
