import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FactoredScore } from '../agents/factored-score';
import { SimulatedTestbed } from '../environment/simulated-testbed';
import { builtInScenario } from '../scenario/built-in';
import { seededRandom } from '../../base';
import { freeConstraints, isAllowed, meetsThreshold } from './constraints';
import { CrowdSearch } from './crowd-search';
import { randomAction } from './exploration';
import { JointSearch } from './joint-search';
import { ServiceCurves } from './service-curves';

const USERS = 12;
const testbed = new SimulatedTestbed(builtInScenario({ users: USERS, links: 'B' }), 3);
const { system } = testbed;

/** Curves that have learned from random actions. */
function learnedCurves(): readonly ServiceCurves[] {
  const curves = [0, 1, 2].map((tier) => new ServiceCurves(system, tier, 1500));
  const random = seededRandom(5);
  const action = new Uint8Array(USERS);
  for (let step = 0; step < 150; step += 1) {
    randomAction(system, freeConstraints(system, 0), random, action);
    const state = testbed.observe();
    const { responseMs } = testbed.step(action, 0);
    for (const each of curves) each.observe(state, action, responseMs);
    if (step % 10 === 9) for (const each of curves) each.fit();
  }
  return curves;
}

describe('crowd search', () => {
  const curves = learnedCurves();
  const crowd = new CrowdSearch(system, curves);
  const joint = new JointSearch(system);
  const score = new FactoredScore(system, curves);

  // Both may end in local optima: single cases differ either way, on average they must not.
  it('finds what search over single users finds, and keeps to what is allowed', () => {
    let sumMs = 0;
    let singleSumMs = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(73.8, 80, 85, 89, 89.9),
        fc.constantFrom(-1, 0, 1, 2),
        fc.nat(23),
        (thresholdPct, barredTier, pin) => {
          testbed.step(new Uint8Array(USERS), 0);
          const state = testbed.observe();
          const constraints = freeConstraints(system, thresholdPct);
          for (let at = 0; at < constraints.allowed.length; at += 1) {
            const choice = at % system.choices;
            const isPinned = at < system.choices;
            const allowed = isPinned ? choice === pin : system.choiceTier[choice] !== barredTier;
            constraints.allowed[at] = Number(allowed);
          }
          const found = new Uint8Array(USERS);
          const single = new Uint8Array(USERS);
          crowd.search(state, constraints, found);
          const singleMs = joint.search(score, state, constraints, single);
          found.forEach((choice, user) => expect(isAllowed(system, constraints, user, choice)).toBe(true));
          if (meetsThreshold(system, constraints, single))
            expect(meetsThreshold(system, constraints, found)).toBe(true);
          const foundMs = score.begin(state, found);
          sumMs += foundMs;
          singleSumMs += singleMs;
          expect(foundMs).toBeLessThanOrEqual(singleMs * 1.1);
        },
      ),
      { numRuns: 60 },
    );
    expect(sumMs).toBeLessThanOrEqual(singleSumMs * 1.01);
  });
});
