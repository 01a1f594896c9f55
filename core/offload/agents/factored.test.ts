import { describe, expect, it } from 'vitest';

import { SimulatedTestbed } from '../environment/simulated-testbed';
import type { Outcome } from '../environment/environment';
import { freeConstraints } from '../learning/constraints';
import { ExactOracle } from '../oracle/exact-oracle';
import { builtInScenario } from '../scenario/built-in';
import type { Scenario } from '../scenario/schema';
import { DEVICE, nodeOffset, STATE_CPU, stateLength, systemOf } from '../scenario/system';
import type { System } from '../scenario/system';
import { trainStep } from '../training/train';
import { createAgent } from './registry';

const DEVICE_MMACS_PER_MS = 5;
const REMOTE_MS = 400;

/** A deployment: the users' requests share the one core of the one device; elsewhere everything takes as long. */
const deployment: System = { ...systemOf(builtInScenario({ users: 2 })), sharedTiers: [true, true, true] };

function outcomeOf(system: System, action: Uint8Array): Outcome {
  const { choiceTier, choiceVariant, variants } = system;
  const works = Array.from(action, (choice) =>
    choiceTier[choice] === DEVICE ? variants[choiceVariant[choice]!]!.mMacs / DEVICE_MMACS_PER_MS : 0,
  );
  // Processor sharing of two: the shorter one has half the core until it ends.
  const responseMs = Float64Array.from(works, (own, user) =>
    own === 0 ? REMOTE_MS : own + Math.min(own, works[1 - user]!),
  );
  const meanResponseMs = (responseMs[0]! + responseMs[1]!) / 2;
  return { responseMs, meanResponseMs, meanAccuracyPct: 89.9, rewardMs: -meanResponseMs };
}

function withSpeed(scenario: Scenario, tier: 'device' | 'edge' | 'cloud', factor: number): Scenario {
  const own = scenario.tiers[tier];
  const changed = { ...own, mMacsPerMs: own.mMacsPerMs * factor };
  return { ...scenario, tiers: { ...scenario.tiers, [tier]: changed } };
}

describe('factored', () => {
  it.each(['device', 'edge', 'cloud'] as const)('believes a %s that slows, and one that recovers', (tier) => {
    const users = 3;
    const fast = builtInScenario({ users, background: 'steady' });
    const slow = withSpeed(fast, tier, 1 / 4);
    const agent = createAgent('factored', systemOf(fast), 1);
    const gapAfter = (scenario: Scenario, steps: number): number => {
      const testbed = new SimulatedTestbed(scenario, 7);
      const constraints = freeConstraints(testbed.system, 89);
      const action = new Uint8Array(users);
      for (let step = 0; step < steps; step += 1) trainStep(agent, testbed, constraints, action);
      const state = testbed.observe();
      const best = new ExactOracle(testbed.system, testbed.truth).best(state, 89).meanResponseMs;
      agent.decide(state, constraints, action);
      return testbed.truth.evaluate(state, action, new Float64Array(users)) / best - 1;
    };
    expect(gapAfter(fast, 150)).toBeLessThan(0.01);
    expect(gapAfter(slow, 12)).toBeLessThan(0.1);
    expect(gapAfter(slow, 100)).toBeLessThan(0.02);
    expect(gapAfter(fast, 60)).toBeLessThan(0.02);
  });

  it('learns a level of background never met also while it suspects a change', () => {
    const agent = createAgent('factored', deployment, 1);
    const cloud = Uint8Array.of(deployment.choiceTier.indexOf(2), deployment.choiceTier.indexOf(2));
    const free = new Uint8Array(stateLength(2));
    const busy = free.slice();
    busy[nodeOffset(3) + STATE_CPU] = 1;
    const measure = (state: Uint8Array, ms: number): void => {
      const outcome = { meanResponseMs: ms, meanAccuracyPct: 89.9, rewardMs: -ms };
      agent.learn(state, cloud, { ...outcome, responseMs: Float64Array.of(ms, ms) }, state);
    };
    for (let step = 0; step < 30; step += 1) measure(free, 100);
    measure(free, 250);
    for (let step = 0; step < 3; step += 1) measure(busy, 400);
    expect(Math.abs(agent.predictMs(busy, cloud)! / 400 - 1)).toBeLessThan(0.1);
  });

  it('learns that a device all users share takes twice as long for two', () => {
    const agent = createAgent('factored', deployment, 1);
    const state = new Uint8Array(stateLength(2));
    const constraints = { thresholdPct: 0, allowed: new Uint8Array(2 * deployment.choices).fill(1) };
    const action = new Uint8Array(2);
    for (let step = 0; step < 80; step += 1) {
      agent.explore(state, constraints, action);
      agent.learn(state, action, outcomeOf(deployment, action), state);
    }
    const deviceD0 = 0;
    const edgeD0 = deployment.choiceTier.indexOf(1);
    for (const pair of [Uint8Array.of(deviceD0, deviceD0), Uint8Array.of(deviceD0, edgeD0)]) {
      const { meanResponseMs } = outcomeOf(deployment, pair);
      const predictedMs = agent.predictMs(state, pair)!;
      expect(Math.abs(predictedMs / meanResponseMs - 1)).toBeLessThan(0.05);
    }
  });

  it('predicts the mean of a queue, not what those served first measure', () => {
    const agent = createAgent('factored', { ...deployment, users: 3 }, 1);
    const state = new Uint8Array(stateLength(3));
    const action = new Uint8Array(3);
    const responseMs = Float64Array.of(80, 160, 240);
    const outcome = { responseMs, meanResponseMs: 160, meanAccuracyPct: 89.9, rewardMs: -160 };
    for (let step = 0; step < 30; step += 1) agent.learn(state, action, outcome, state);
    expect(Math.abs(agent.predictMs(state, action)! / 160 - 1)).toBeLessThan(0.03);
  });
});
