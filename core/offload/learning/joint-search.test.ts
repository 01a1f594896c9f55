import { expect, it } from 'vitest';

import { deploymentSystem } from '../scenario/deployment';
import { mobilenetVariants } from '../scenario/mobilenet-variants';
import { CLOUD, DEVICE } from '../scenario/system';
import { freeConstraints } from './constraints';
import { JointSearch } from './joint-search';
import type { JointScore } from './joint-score';

const USERS = 3;
const system = deploymentSystem(USERS, mobilenetVariants());

/** What little knowledge may look like: alone or in pairs everything is slow but the device, in threes the cloud is not. */
function cost(action: Uint8Array): number {
  const on = (tier: number): number =>
    Array.from(action).filter((choice) => system.choiceTier[choice] === tier).length;
  if (on(CLOUD) === USERS) return 90;
  return on(DEVICE) === USERS ? 150 : 200;
}

function scoreOf(): JointScore {
  const action = new Uint8Array(USERS);
  const changed = (user: number, choice: number): number => {
    const other = action.slice();
    other[user] = choice;
    return cost(other);
  };
  return {
    begin: (_, start) => {
      action.set(start);
      return cost(action);
    },
    probe: changed,
    apply: (user, choice) => {
      action[user] = choice;
    },
  };
}

it('finds what no user alone can reach when it starts on each tier', () => {
  const constraints = freeConstraints(system, 89);
  const found = new Uint8Array(USERS);
  const state = new Uint8Array(3 * (USERS + 2));
  expect(new JointSearch(system).search(scoreOf(), state, constraints, found)).toBe(150);
  expect(new JointSearch(system, true).search(scoreOf(), state, constraints, found)).toBe(90);
  // Tiers that are not allowed are no start.
  system.choiceTier.forEach((tier, choice) => {
    for (let user = 0; user < USERS; user += 1) {
      if (tier === CLOUD) constraints.allowed[user * system.choices + choice] = 0;
    }
  });
  expect(new JointSearch(system, true).search(scoreOf(), state, constraints, found)).toBe(150);
});
