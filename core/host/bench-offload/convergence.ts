import {
  builtInScenario,
  ConvergenceDetector,
  createAgent,
  EvaluationSet,
  freeConstraints,
  SimulatedTestbed,
  statesOf,
  trainStep,
  WITHIN_ONE_PERCENT,
} from '../../offload';
import type { LinkScenarioName } from '../../offload';

/** Counts the real steps an agent needs until its optimality gap stays within 1 %, at threshold 89. */
export interface ConvergenceJob {
  readonly kind: 'convergence';
  readonly agent: string;
  readonly users: number;
  readonly links: LinkScenarioName;
  readonly seed: number;
  readonly budgetSteps: number;
}

export interface ConvergenceResult {
  readonly kind: 'convergence';
  readonly agent: string;
  readonly users: number;
  readonly links: LinkScenarioName;
  readonly seed: number;
  readonly budgetSteps: number;
  /** Absent when it did not converge within the budget. */
  readonly convergedAt?: number;
  readonly lastGapPct: number;
}

const THRESHOLD_PCT = 89;

/** In the one state of the steady scenario, as an experiment with fixed conditions has it. */
export function runConvergence(job: ConvergenceJob): ConvergenceResult {
  const { agent: name, users, links, seed, budgetSteps } = job;
  const scenario = builtInScenario({ users, links, background: 'steady' });
  const testbed = new SimulatedTestbed(scenario, seed);
  const set = new EvaluationSet(scenario, statesOf(scenario, seed, 1), THRESHOLD_PCT);
  const agent = createAgent(name, testbed.system, seed);
  const detector = new ConvergenceDetector(WITHIN_ONE_PERCENT);
  const constraints = freeConstraints(testbed.system, THRESHOLD_PCT);
  const action = new Uint8Array(users);
  let lastGapPct = 0;
  for (let step = 1; step <= budgetSteps; step += 1) {
    trainStep(agent, testbed, constraints, action);
    if (step % evaluateEvery(step) !== 0) continue;
    lastGapPct = set.evaluate(agent).optimalityGapPct;
    detector.observe(step, lastGapPct);
    if (detector.convergedAt !== undefined) break;
  }
  const { convergedAt } = detector;
  return { ...job, lastGapPct, ...(convergedAt !== undefined && { convergedAt }) };
}

/** To about one part in a hundred of the answer. */
function evaluateEvery(step: number): number {
  if (step <= 200) return 1;
  return step <= 2000 ? 10 : 100;
}
