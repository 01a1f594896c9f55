import { describe, expect, it } from 'vitest';

import type { Outcome } from '../environment/environment';
import { builtInScenario } from '../scenario/built-in';
import { DEVICE, stateLength, systemOf } from '../scenario/system';
import type { System } from '../scenario/system';
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

describe('factored', () => {
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
});
