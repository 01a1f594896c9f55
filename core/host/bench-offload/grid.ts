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
import type { Agent, Evaluation, LinkScenarioName } from '../../offload';

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
const STATE_SEED = 1000;

export function runGrid({ users, seed, agents, shorten }: GridJob): GridResult {
  const testbeds = LINK_SCENARIO_NAMES.map(
    (links, index) => new SimulatedTestbed(builtInScenario({ users, links }), seed * 100 + index),
  );
  const [first] = testbeds;
  if (!first) throw new RangeError('There is no link scenario.');
  const { leastAccuratePct, mostAccuratePct } = first.system;
  const thresholdsPct = [leastAccuratePct, 80, 85, 89, mostAccuratePct];
  const judges = testbeds.map((testbed) => judgeOf(testbed, thresholdsPct));
  const cells: GridCell[] = [];
  const add = (agent: Agent, id: string): void => {
    judges.forEach(({ sets }, index) => {
      sets.forEach((set, at) => {
        cells.push({
          agent: id,
          links: LINK_SCENARIO_NAMES[index]!,
          threshold: THRESHOLDS[at]!,
          thresholdPct: set.thresholdPct,
          ...set.evaluate(agent),
        });
      });
    });
  };
  for (const name of agents) {
    const agent = createAgent(name, first.system, seed);
    trainInTurn(agent, testbeds, thresholdsPct, Math.round((TRAINING_STEPS[name] ?? 0) / shorten));
    add(agent, name);
  }
  cells.push(...oracleCells(judges));
  return { kind: 'grid', users, seed, cells };
}

interface Judge {
  readonly links: LinkScenarioName;
  readonly testbed: SimulatedTestbed;
  readonly sets: readonly EvaluationSet[];
}

function judgeOf(testbed: SimulatedTestbed, thresholdsPct: readonly number[]): Judge {
  const states = statesOf(testbed.scenario, STATE_SEED, EVALUATION_STATES);
  const oracle = new ExactOracle(testbed.system, testbed.truth);
  const sets = thresholdsPct.map((pct) => new EvaluationSet(testbed.scenario, states, pct, oracle));
  const links = LINK_SCENARIO_NAMES.find((name) => testbed.scenario.name.startsWith(name)) ?? 'A';
  return { links, testbed, sets };
}

/** The oracle itself, and the oracle of the baseline that always runs the most accurate variant. */
function oracleCells(judges: readonly Judge[]): GridCell[] {
  return judges.flatMap(({ links, testbed, sets }) => {
    const { system, truth } = testbed;
    const all = new OracleAgent(system, truth);
    const offload = new OracleAgent(system, truth, mostAccurateChoices(system));
    return sets.flatMap((set, at) =>
      [all, offload].map((agent) => ({
        agent: agent === all ? 'oracle' : 'offload-only-oracle',
        links,
        threshold: THRESHOLDS[at]!,
        thresholdPct: set.thresholdPct,
        ...set.evaluate(agent),
      })),
    );
  });
}

function trainInTurn(
  agent: Agent,
  testbeds: readonly SimulatedTestbed[],
  thresholdsPct: readonly number[],
  steps: number,
): void {
  const [first] = testbeds;
  if (!first || steps === 0) return;
  const constraints = thresholdsPct.map((pct) => freeConstraints(first.system, pct));
  const action = new Uint8Array(first.system.users);
  for (let step = 0; step < steps; step += 1) {
    const block = Math.floor(step / BLOCK_STEPS);
    const testbed = testbeds[block % testbeds.length]!;
    // The thresholds' number has no common factor with the link scenarios', so every pair comes.
    trainStep(agent, testbed, constraints[block % constraints.length]!, action);
  }
}
