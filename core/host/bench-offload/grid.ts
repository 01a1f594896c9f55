import {
  builtInScenario,
  createAgent,
  EvaluationSet,
  ExactOracle,
  freeConstraints,
  LINK_SCENARIO_NAMES,
  mostAccurateChoices,
  OracleAgent,
  SimulatedTestbed,
  statesOf,
  trainStep,
} from '../../offload';
import type { Agent, Evaluation, LinkScenarioName, System } from '../../offload';

/** Trains every agent for one number of users and one seed, and judges it in every link scenario at every threshold. */
export interface GridJob {
  readonly kind: 'grid';
  readonly users: number;
  readonly seed: number;
  readonly agents: readonly string[];
  /** Real steps of training are divided by this. */
  readonly shorten: number;
}

export interface GridCell extends Evaluation {
  readonly agent: string;
  readonly links: LinkScenarioName;
  readonly threshold: ThresholdName;
  readonly thresholdPct: number;
}

export interface GridResult {
  readonly kind: 'grid';
  readonly users: number;
  readonly seed: number;
  readonly cells: readonly GridCell[];
}

export const THRESHOLDS = ['min', '80', '85', '89', 'max'] as const;
export type ThresholdName = (typeof THRESHOLDS)[number];

/** Real steps of training by agent: the sample-efficient ones need few, the model-free ones get what time allows. */
const TRAINING_STEPS: Readonly<Record<string, number>> = {
  'offload-only': 20_000,
  'q-learning': 60_000,
  dqn: 6000,
  hybrid: 3000,
  linucb: 600,
  factored: 600,
};
/** Real steps before links and threshold change: agents learn all of them in turn. */
const BLOCK_STEPS = 20;
const EVALUATION_STATES = 16;
const STATE_SEED = 2026;

export function runGrid({ users, seed, agents, shorten }: GridJob): GridResult {
  const testbeds = LINK_SCENARIO_NAMES.map(
    (links, index) => new SimulatedTestbed(builtInScenario({ users, links }), seed * 100 + index),
  );
  const [first] = testbeds;
  if (!first) throw new RangeError('There is no link scenario.');
  const { judges, oracleCells } = judgedOf(users);
  const cells = agents.flatMap((name) => {
    const agent = createAgent(name, first.system, seed);
    trainInTurn(agent, testbeds, Math.round((TRAINING_STEPS[name] ?? 0) / shorten));
    return judges.flatMap((judge) => cellsOf(judge, agent, name));
  });
  return { kind: 'grid', users, seed, cells: [...cells, ...oracleCells] };
}

/** What does not depend on seeds: states, the oracles' answers, and how the oracles themselves do. */
interface Judged {
  readonly judges: readonly Judge[];
  readonly oracleCells: readonly GridCell[];
}

/** By number of users, kept for the next seed: the oracle is a good part of a grid's time. */
const judged = new Map<number, Judged>();

function judgedOf(users: number): Judged {
  const known = judged.get(users);
  if (known) return known;
  const judges = LINK_SCENARIO_NAMES.map((links) => judgeOf(users, links));
  const made = { judges, oracleCells: judges.flatMap(oracleCells) };
  judged.set(users, made);
  return made;
}

function thresholdsOf({ leastAccuratePct, mostAccuratePct }: System): readonly number[] {
  return [leastAccuratePct, 80, 85, 89, mostAccuratePct];
}

interface Judge {
  readonly links: LinkScenarioName;
  readonly testbed: SimulatedTestbed;
  readonly sets: readonly EvaluationSet[];
}

function judgeOf(users: number, links: LinkScenarioName): Judge {
  const testbed = new SimulatedTestbed(builtInScenario({ users, links }), 0);
  const states = statesOf(testbed.scenario, STATE_SEED, EVALUATION_STATES);
  const oracle = new ExactOracle(testbed.system, testbed.truth);
  const sets = thresholdsOf(testbed.system).map(
    (pct) => new EvaluationSet(testbed.scenario, states, pct, oracle),
  );
  return { links, testbed, sets };
}

function cellsOf({ links, sets }: Judge, agent: Agent, id: string): GridCell[] {
  return sets.map((set, at) => ({
    agent: id,
    links,
    threshold: THRESHOLDS[at]!,
    thresholdPct: set.thresholdPct,
    ...set.evaluate(agent),
  }));
}

/** The oracle itself, and the oracle of the baseline that always runs the most accurate variant. */
function oracleCells(judge: Judge): GridCell[] {
  const { system, truth } = judge.testbed;
  return [
    ...cellsOf(judge, new OracleAgent(system, truth), 'oracle'),
    ...cellsOf(judge, new OracleAgent(system, truth, mostAccurateChoices(system)), 'offload-only-oracle'),
  ];
}

function trainInTurn(agent: Agent, testbeds: readonly SimulatedTestbed[], steps: number): void {
  const [first] = testbeds;
  if (!first || steps === 0) return;
  const constraints = thresholdsOf(first.system).map((pct) => freeConstraints(first.system, pct));
  const action = new Uint8Array(first.system.users);
  for (let step = 0; step < steps; step += 1) {
    const block = Math.floor(step / BLOCK_STEPS);
    const testbed = testbeds[block % testbeds.length]!;
    // The thresholds' number has no common factor with the link scenarios', so every pair comes.
    trainStep(agent, testbed, constraints[block % constraints.length]!, action);
  }
}
