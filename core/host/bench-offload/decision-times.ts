import { quantile } from '../../base';
import { builtInScenario, createAgent, freeConstraints, SimulatedTestbed, trainStep } from '../../offload';
import { round } from '../bench/bar';

/** Times `decide` of a trained agent. Runs alone on the main thread. */
export interface DecisionTimeJob {
  readonly kind: 'decision-times';
  readonly agent: string;
  readonly users: number;
  readonly trainingSteps: number;
  readonly decisions: number;
}

export interface DecisionTimeResult {
  readonly kind: 'decision-times';
  readonly agent: string;
  readonly users: number;
  readonly decisions: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const SEED = 1;
const THRESHOLD_PCT = 89;
const WARM_UP_SHARE = 0.2;

export function runDecisionTimes(job: DecisionTimeJob): DecisionTimeResult {
  const { agent: name, users, trainingSteps, decisions } = job;
  const testbed = new SimulatedTestbed(builtInScenario({ users, links: 'B' }), SEED);
  const agent = createAgent(name, testbed.system, SEED);
  const constraints = freeConstraints(testbed.system, THRESHOLD_PCT);
  const action = new Uint8Array(users);
  for (let step = 0; step < trainingSteps; step += 1) trainStep(agent, testbed, constraints, action);
  const timesMs: number[] = [];
  const warmUps = Math.round(decisions * WARM_UP_SHARE);
  for (let decision = -warmUps; decision < decisions; decision += 1) {
    const state = testbed.observe();
    const startMs = performance.now();
    agent.decide(state, constraints, action);
    const ms = performance.now() - startMs;
    if (decision >= 0) timesMs.push(ms);
    testbed.step(action, THRESHOLD_PCT);
  }
  return {
    kind: 'decision-times',
    agent: name,
    users,
    decisions,
    p50Ms: round(quantile(timesMs, 0.5)),
    p99Ms: round(quantile(timesMs, 0.99)),
  };
}
