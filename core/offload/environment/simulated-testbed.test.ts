import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { builtInScenario, LINK_SCENARIO_NAMES } from '../scenario/built-in';
import { STATE_CPU, nodeOffset, systemOf } from '../scenario/system';
import { SimulatedTestbed } from './simulated-testbed';

const users = fc.integer({ min: 1, max: 6 });
const links = fc.constantFrom(...LINK_SCENARIO_NAMES);
const seed = fc.integer({ min: 0, max: 1e6 });
const rolls = fc.array(fc.nat(), { minLength: 6, maxLength: 6 });

function actionOf(testbed: SimulatedTestbed, numbers: readonly number[]): Uint8Array {
  return Uint8Array.from(
    { length: testbed.system.users },
    (_, user) => numbers[user]! % testbed.system.choices,
  );
}

describe('simulated testbed', () => {
  it('repeats itself for the same seed', () => {
    fc.assert(
      fc.property(users, links, seed, rolls, (count, name, number, numbers) => {
        const play = (): unknown[] => {
          const testbed = new SimulatedTestbed(builtInScenario({ users: count, links: name }), number);
          const action = actionOf(testbed, numbers);
          return Array.from({ length: 10 }, () => {
            const { responseMs, rewardMs } = testbed.step(action, 85);
            return [testbed.observe(), Array.from(responseMs), rewardMs];
          });
        };
        expect(play()).toEqual(play());
      }),
      { numRuns: 30 },
    );
  });

  it('is never faster with more background on any node, for any action', () => {
    fc.assert(
      fc.property(users, links, rolls, fc.nat(), (count, name, numbers, pick) => {
        const testbed = new SimulatedTestbed(builtInScenario({ users: count, links: name }), 1);
        const action = actionOf(testbed, numbers);
        const state = testbed.observe();
        const busier = state.slice();
        busier[nodeOffset(pick % (count + 2)) + STATE_CPU] = 1;
        const ms = new Float64Array(count);
        const busierMs = new Float64Array(count);
        testbed.truth.evaluate(state, action, ms);
        testbed.truth.evaluate(busier, action, busierMs);
        ms.forEach((value, user) => expect(busierMs[user]!).toBeGreaterThanOrEqual(value - 1e-9));
      }),
    );
  });

  it('rewards the negative mean response time above the threshold and the negative longest below it', () => {
    const testbed = new SimulatedTestbed({ ...builtInScenario({ users: 2 }), measurementNoise: 0 }, 1);
    const { system } = testbed;
    const accurate = system.choiceAccuracyPct.indexOf(system.mostAccuratePct);
    const quick = system.choiceAccuracyPct.indexOf(system.leastAccuratePct);
    const good = testbed.step(Uint8Array.of(accurate, accurate), 89);
    expect(good.rewardMs).toBe(-good.meanResponseMs);
    const bad = testbed.step(Uint8Array.of(quick, quick), 89);
    expect(bad.meanResponseMs).toBeLessThan(good.meanResponseMs);
    for (let choice = 0; choice < system.choices; choice += 1) {
      const { meanResponseMs } = testbed.step(Uint8Array.of(choice, choice), 0);
      expect(bad.rewardMs).toBeLessThanOrEqual(-meanResponseMs);
    }
  });

  it('stays in its one state when steady', () => {
    const testbed = new SimulatedTestbed(builtInScenario({ users: 3, background: 'steady' }), 1);
    const before = testbed.observe();
    for (let step = 0; step < 20; step += 1) testbed.step(new Uint8Array(3), 0);
    expect(testbed.observe()).toEqual(before);
  });

  it.each([
    ['too short', Uint8Array.of(0)],
    ['unknown choice', Uint8Array.of(0, 200)],
  ])('refuses an action that is %s', (_, action) => {
    const testbed = new SimulatedTestbed(builtInScenario({ users: 2 }), 1);
    expect(() => testbed.step(action, 0)).toThrow(/expected 2 choices below 24, found \[0/);
  });

  it('numbers choices by tier and variant', () => {
    const system = systemOf(builtInScenario({ users: 1 }));
    expect(system.choices).toBe(24);
    expect([system.mostAccuratePct, system.leastAccuratePct]).toEqual([89.9, 73.8]);
  });
});
