import type { Agent } from '../agents/agent';
import { SimulatedTestbed } from '../environment/simulated-testbed';
import type { ResponseModel } from '../environment/response-model';
import { freeConstraints } from '../learning/constraints';
import { ExactOracle } from '../oracle/exact-oracle';
import type { Scenario } from '../scenario/schema';
import { ACCURACY_TOLERANCE_PCT, meanAccuracyPct, stateKey } from '../scenario/system';
import type { SystemState } from '../scenario/system';

export interface Evaluation {
  readonly meanResponseMs: number;
  readonly meanAccuracyPct: number;
  /** Mean over states of response time over the oracle's, less one, in percent. */
  readonly optimalityGapPct: number;
  /** Share of states whose gap is at most 1 %. */
  readonly withinOnePct: number;
  /** Share of states in which the threshold was missed; the oracle's gap is not defined against those. */
  readonly violations: number;
}

/** States of a scenario with the oracle's answers, to judge policies by without noise. */
export class EvaluationSet {
  readonly bestMs: Float64Array;
  private readonly action: Uint8Array;
  private readonly responseMs: Float64Array;
  private readonly truth: ResponseModel;
  private readonly testbed: SimulatedTestbed;

  constructor(
    scenario: Scenario,
    readonly states: readonly SystemState[],
    readonly thresholdPct: number,
    oracle?: ExactOracle,
  ) {
    this.testbed = new SimulatedTestbed(scenario, 0);
    this.truth = this.testbed.truth;
    const judge = oracle ?? new ExactOracle(this.testbed.system, this.truth);
    this.bestMs = Float64Array.from(states, (state) => judge.best(state, thresholdPct).meanResponseMs);
    this.action = new Uint8Array(scenario.users);
    this.responseMs = new Float64Array(scenario.users);
  }

  /** What the agent decides, without exploring, in every state. */
  evaluate(agent: Agent): Evaluation {
    const { system } = this.testbed;
    const constraints = freeConstraints(system, this.thresholdPct);
    let sumMs = 0;
    let sumPct = 0;
    let gap = 0;
    let within = 0;
    let violations = 0;
    this.states.forEach((state, index) => {
      agent.decide(state, constraints, this.action);
      const ms = this.truth.evaluate(state, this.action, this.responseMs);
      const accuracyPct = meanAccuracyPct(system, this.action);
      const ownGap = ms / this.bestMs[index]! - 1;
      sumMs += ms;
      sumPct += accuracyPct;
      gap += ownGap;
      if (ownGap <= 0.01) within += 1;
      if (accuracyPct < this.thresholdPct - ACCURACY_TOLERANCE_PCT) violations += 1;
    });
    const count = this.states.length;
    return {
      meanResponseMs: sumMs / count,
      meanAccuracyPct: sumPct / count,
      optimalityGapPct: (gap / count) * 100,
      withinOnePct: (within / count) * 100,
      violations: (violations / count) * 100,
    };
  }
}

/** Distinct states in the order a seeded play of the scenario meets them, at most `limit`. */
export function statesOf(scenario: Scenario, seed: number, limit: number): readonly SystemState[] {
  const testbed = new SimulatedTestbed(scenario, seed);
  const action = new Uint8Array(scenario.users);
  const found = new Map<string, SystemState>();
  for (let step = 0; step < limit * 200 && found.size < limit; step += 1) {
    const state = testbed.observe();
    found.set(stateKey(state), state);
    testbed.step(action, 0);
  }
  return [...found.values()];
}
