import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../base';
import { SimulatedTestbed } from '../environment/simulated-testbed';
import { freeConstraints, meetsThreshold } from '../learning/constraints';
import { epsilonAt, randomAction } from '../learning/exploration';
import { builtInScenario, LINK_SCENARIOS } from '../scenario/built-in';
import { systemOf } from '../scenario/system';
import { EvaluationSet, statesOf } from '../training/evaluation';
import type { Evaluation } from '../training/evaluation';
import { train, trainStep } from '../training/train';
import type { Agent } from './agent';
import { DqnAgent } from './dqn';
import { AGENT_NAMES, createAgent } from './registry';

const THRESHOLD_PCT = 89;

interface Trained {
  readonly agent: Agent;
  readonly testbed: SimulatedTestbed;
  readonly evaluation: Evaluation;
}

function trained(name: string, users: number, steps: number, background: 'varying' | 'steady'): Trained {
  const scenario = builtInScenario({ users, background });
  const testbed = new SimulatedTestbed(scenario, 3);
  const agent = createAgent(name, testbed.system, 3);
  const constraints = freeConstraints(testbed.system, THRESHOLD_PCT);
  const action = new Uint8Array(users);
  for (let step = 0; step < steps; step += 1) trainStep(agent, testbed, constraints, action);
  const set = new EvaluationSet(scenario, statesOf(scenario, 9, 12), THRESHOLD_PCT);
  return { agent, testbed, evaluation: set.evaluate(agent) };
}

describe('learning', () => {
  it.each([
    ['q-learning', 1, 2000, 'varying', 1],
    ['q-learning', 2, 2000, 'steady', 1],
    ['offload-only', 2, 200, 'steady', 200],
    ['dqn', 1, 2000, 'varying', 2],
    ['hybrid', 1, 600, 'varying', 2],
    ['hybrid', 2, 800, 'steady', 1],
    ['linucb', 1, 200, 'varying', 1],
    ['factored', 3, 120, 'varying', 1],
    ['factored', 5, 120, 'varying', 1],
  ] as const)('%s with %i users comes close in %i steps (%s)', (name, users, steps, background, gapPct) => {
    const { evaluation } = trained(name, users, steps, background);
    expect(evaluation.optimalityGapPct).toBeLessThanOrEqual(gapPct);
    expect(evaluation.violations).toBe(0);
  });

  it('plans its way to fewer real steps', () => {
    const gapAfter = (name: string): number => trained(name, 5, 150, 'steady').evaluation.optimalityGapPct;
    expect(gapAfter('hybrid-k10')).toBeLessThan(gapAfter('hybrid-k0'));
  });

  it('factored recovers from links it never saw within 30 real steps', () => {
    const { agent, testbed } = trained('factored', 4, 120, 'varying');
    testbed.setLinks(LINK_SCENARIOS.D);
    const constraints = freeConstraints(testbed.system, THRESHOLD_PCT);
    const action = new Uint8Array(4);
    for (let step = 0; step < 30; step += 1) trainStep(agent, testbed, constraints, action);
    const weak = builtInScenario({ users: 4, links: 'D' });
    const set = new EvaluationSet(weak, statesOf(weak, 9, 12), THRESHOLD_PCT);
    expect(set.evaluate(agent).optimalityGapPct).toBeLessThanOrEqual(5);
  });

  it('is cancelled between steps', async () => {
    const testbed = new SimulatedTestbed(builtInScenario({ users: 1 }), 1);
    const agent = createAgent('factored', testbed.system, 1);
    const abort = new AbortController();
    const training = train(agent, testbed, {
      steps: 1000,
      thresholdPct: 85,
      signal: abort.signal,
      onStep: (step) => {
        if (step === 5) abort.abort();
        return false;
      },
    });
    await expect(training).rejects.toMatchObject({ code: 'cancelled', details: { steps: 5 } });
    expect(testbed.stepsTaken).toBe(5);
  });

  it('values what comes later with a discount', () => {
    const testbed = new SimulatedTestbed(builtInScenario({ users: 1, background: 'steady' }), 1);
    const options = {
      hidden: 16,
      learningRate: 5e-3,
      slowAfterSteps: 1e6,
      scaleMs: 100,
      epsilon: { start: 1, end: 1, decaySteps: 1 },
      replayCapacity: 500,
      batch: 16,
      discount: 0.5,
      targetEvery: 20,
    };
    const agent = new DqnAgent(testbed.system, options, seededRandom(1));
    const constraints = freeConstraints(testbed.system, 85);
    const action = new Uint8Array(1);
    for (let step = 0; step < 1500; step += 1) trainStep(agent, testbed, constraints, action);
    const set = new EvaluationSet(testbed.scenario, [testbed.observe()], 85);
    expect(set.evaluate(agent).optimalityGapPct).toBeLessThan(5);
    expect(agent.predictMs(testbed.observe(), action)).toBeUndefined();
  });
});

describe('every agent', () => {
  it.each(AGENT_NAMES)('%s keeps to the threshold and to what is allowed, trained or not', (name) => {
    const users = 3;
    const testbed = new SimulatedTestbed(builtInScenario({ users, links: 'B' }), 1);
    const { system } = testbed;
    const agent = createAgent(name, system, 1);
    const action = new Uint8Array(users);
    const learn = freeConstraints(system, 85);
    for (let step = 0; step < 40; step += 1) trainStep(agent, testbed, learn, action);
    fc.assert(
      fc.property(
        fc.constantFrom(73.8, 80, 85, 89, 89.9),
        fc.constantFrom(0, 1, 2),
        fc.boolean(),
        (thresholdPct, barredTier, explore) => {
          const constraints = freeConstraints(system, thresholdPct);
          constraints.allowed.forEach((_, at) => {
            if (system.choiceTier[at % system.choices] === barredTier) constraints.allowed[at] = 0;
          });
          const state = testbed.observe();
          if (explore) agent.explore(state, constraints, action);
          else agent.decide(state, constraints, action);
          expect(meetsThreshold(system, constraints, action)).toBe(true);
          for (const choice of action) expect(system.choiceTier[choice]).not.toBe(barredTier);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is named when another is asked for', () => {
    const system = systemOf(builtInScenario({ users: 1 }));
    expect(() => createAgent('sarsa', system, 1)).toThrow(/"sarsa"; there are local-only.*factored/);
  });

  it('refuses a table of too many joint actions', () => {
    const system = systemOf(builtInScenario({ users: 12 }));
    expect(() => createAgent('q-learning', system, 1)).toThrow(
      /24 choices for each of 12 users are too many/,
    );
  });
});

describe('exploration', () => {
  it('draws choices uniformly where nothing is forbidden', () => {
    const system = systemOf(builtInScenario({ users: 1 }));
    const counts = new Float64Array(system.choices);
    const action = new Uint8Array(1);
    const random = seededRandom(11);
    const draws = 24_000;
    for (let draw = 0; draw < draws; draw += 1) {
      randomAction(system, freeConstraints(system, 0), random, action);
      counts[action[0]!]! += 1;
    }
    const expected = draws / system.choices;
    const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chiSquare).toBeLessThan(49.7); // 23 degrees of freedom, p = 0.001
  });

  it('reaches every joint action above the threshold and none below', () => {
    const system = systemOf(builtInScenario({ users: 2 }));
    const constraints = freeConstraints(system, THRESHOLD_PCT);
    const action = new Uint8Array(2);
    const random = seededRandom(5);
    const seen = new Set<string>();
    for (let draw = 0; draw < 40_000; draw += 1) {
      randomAction(system, constraints, random, action);
      expect(meetsThreshold(system, constraints, action)).toBe(true);
      seen.add(action.join());
    }
    let feasible = 0;
    for (let first = 0; first < system.choices; first += 1) {
      for (let second = 0; second < system.choices; second += 1) {
        if (meetsThreshold(system, constraints, Uint8Array.of(first, second))) feasible += 1;
      }
    }
    expect(seen.size).toBe(feasible);
  });

  it('decays its share', () => {
    const schedule = { start: 1, end: 0.1, decaySteps: 10 };
    expect([0, 5, 10, 99].map((step) => epsilonAt(schedule, step))).toEqual([1, 0.55, 0.1, 0.1]);
  });
});
