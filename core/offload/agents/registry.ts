import { seededRandom } from '../../base';
import { SluiceError } from '../../contract';
import { CLOUD, DEVICE, EDGE } from '../scenario/system';
import type { System } from '../scenario/system';
import type { Agent } from './agent';
import { DqnAgent } from './dqn';
import { FactoredAgent } from './factored';
import { FixedTierAgent } from './fixed-tier';
import { HybridAgent } from './hybrid';
import { LinUcbAgent } from './linucb';
import { QLearningAgent } from './q-learning';

const VALUE_NETWORK = { hidden: 48, learningRate: 1e-2, slowAfterSteps: 500, scaleMs: 100 };
const SYSTEM_MODEL = {
  hidden: 32,
  learningRate: 1e-2,
  slowAfterSteps: 100,
  capacity: 4000,
  batch: 32,
  batchesPerStep: 4,
};

type Make = (system: System, seed: number) => Agent;

/** K of the plain `hybrid` agent. */
const DEFAULT_PLANNING_STEPS = 10;
/** Hybrids that are compared with each other: planning steps, and the ablation. */
const PLANNING_STEPS = [0, 1, 5, 10, 50] as const;

const AGENTS: ReadonlyMap<string, Make> = new Map<string, Make>([
  ['local-only', (system) => new FixedTierAgent(system, DEVICE)],
  ['edge-only', (system) => new FixedTierAgent(system, EDGE)],
  ['cloud-only', (system) => new FixedTierAgent(system, CLOUD)],
  ['offload-only', (system, seed) => qLearning('offload-only', system, seed, mostAccurateChoices(system))],
  ['q-learning', (system, seed) => qLearning('q-learning', system, seed)],
  ['dqn', (system, seed) => dqn(system, seed)],
  ['hybrid', (system, seed) => hybrid('hybrid', system, seed, DEFAULT_PLANNING_STEPS, false)],
  ...PLANNING_STEPS.map((steps): [string, Make] => [
    `hybrid-k${steps}`,
    (system, seed) => hybrid(`hybrid-k${steps}`, system, seed, steps, false),
  ]),
  [
    'hybrid-grounded',
    (system, seed) => hybrid('hybrid-grounded', system, seed, DEFAULT_PLANNING_STEPS, true),
  ],
  ['linucb', (system) => new LinUcbAgent(system, { alpha: 1, memory: 0.9995 })],
  ['factored', (system, seed) => factored(system, seed)],
]);

/** Names that `createAgent` knows. */
export const AGENT_NAMES: readonly string[] = [...AGENTS.keys()];

/** @throws SluiceError `not-found`, naming the agents there are; `unsupported` for too many users. */
export function createAgent(name: string, system: System, seed: number): Agent {
  const make = AGENTS.get(name);
  if (make) return make(system, seed);
  throw new SluiceError('not-found', `No agent is called "${name}"; there are ${AGENT_NAMES.join(', ')}.`, {
    name,
  });
}

/** [choices]: 1 for the most accurate variant on every tier: the baseline without a choice of models. */
export function mostAccurateChoices({ choiceAccuracyPct, mostAccuratePct }: System): Uint8Array {
  return Uint8Array.from(choiceAccuracyPct, (accuracyPct) => (accuracyPct === mostAccuratePct ? 1 : 0));
}

function qLearning(id: string, system: System, seed: number, choices?: Uint8Array): Agent {
  const decaySteps = 300 * system.users;
  const options = {
    epsilon: { start: 1, end: 0.1, decaySteps },
    leastRate: 0.02,
    discount: 0,
    ...(choices && { choices }),
  };
  return new QLearningAgent(id, system, options, seededRandom(seed));
}

function dqn(system: System, seed: number): Agent {
  const options = {
    ...VALUE_NETWORK,
    epsilon: { start: 1, end: 0.1, decaySteps: 300 * system.users },
    replayCapacity: 20_000,
    batch: 32,
    discount: 0,
    targetEvery: 200,
  };
  return new DqnAgent(system, options, seededRandom(seed));
}

function hybrid(id: string, system: System, seed: number, planningSteps: number, grounded: boolean): Agent {
  const options = {
    ...VALUE_NETWORK,
    epsilon: { start: 1, end: 0.1, decaySteps: planningSteps === 0 ? 300 * system.users : 60 * system.users },
    replayCapacity: 20_000,
    batch: 32,
    planningSteps,
    planningBatch: 16,
    grounded,
    model: SYSTEM_MODEL,
  };
  return new HybridAgent(id, system, options, seededRandom(seed));
}

function factored(system: System, seed: number): Agent {
  const options = {
    epsilon: { start: 1, end: 0.02, decaySteps: 30 },
    window: { least: 1500, perUser: 30 },
    eagerSteps: 60,
    surprisePct: 15,
    fitEvery: 5,
  };
  return new FactoredAgent(system, options, seededRandom(seed));
}
