import { seededRandom } from '../../../base';
import type { RemoteTier, TierName } from '../../../contract';
import { builtInScenario } from '../../../offload';
import type { LinkConditions } from './link-lane';

/** A way to decide whose rounds are compared. */
export interface LiveStrategy {
  readonly id: string;
  /** Of the registry. */
  readonly agent: string;
  readonly kind: 'fixed' | 'learning';
  /** Starts with what an agent of its kind learned in the training rounds; else it starts untrained. */
  readonly isTrained?: boolean;
}

/** What the live run is made of. */
export interface LiveScenario {
  readonly users: number;
  readonly thresholdPct: number;
  /** Largest share of an agent's last 100 decisions that may explore. */
  readonly explorationCap: number;
  /** Of each tier, where the kernel can hold it to that; Infinity: no limit. */
  readonly processors: Readonly<Record<TierName, number>>;
  /** At first. */
  readonly links: Readonly<Record<RemoteTier, LinkConditions>>;
  /** The edge's link from half of the rounds on. */
  readonly degradedEdge: LinkConditions;
  /** Of each strategy. */
  readonly roundsPerHalf: number;
  /** Strategies take turns after so many rounds. */
  readonly blockRounds: number;
  /** Before the first half, of an agent that is not compared. */
  readonly trainingRounds: number;
  readonly strategies: readonly LiveStrategy[];
  readonly seed: number;
}

const { access, backhaul } = builtInScenario({ users: 1 }).links;
/** The built-in scenario's pictures are a byte a value; those of the live run are fp32. */
const BYTES_PER_VALUE = 4;

/**
 * Links are the built-in scenario's, their rates times four because the inputs are four times as long: the edge behind
 * the access link, the cloud behind access and backhaul. When the edge's access link turns weak, the cloud is reached
 * by another one. Tiers have the built-in scenario's speeds relative to each other, except that the device has a fifth
 * of a core instead of an eighth: its process also sends, receives and learns. All chosen before the first run; see
 * docs/adr/0010 for what was changed since.
 */
export const LIVE_SCENARIO: LiveScenario = {
  users: 3,
  thresholdPct: 89,
  explorationCap: 0.1,
  processors: { device: 0.2, edge: 0.5, cloud: 1 },
  links: {
    edge: conditions(access.regular.rttMs, access.regular.bytesPerMs),
    cloud: conditions(
      access.regular.rttMs + backhaul.regular.rttMs,
      Math.min(access.regular.bytesPerMs, backhaul.regular.bytesPerMs),
    ),
  },
  degradedEdge: conditions(access.weak.rttMs, access.weak.bytesPerMs),
  roundsPerHalf: 50,
  blockRounds: 10,
  trainingRounds: 40,
  strategies: [
    { id: 'local-only', agent: 'local-only', kind: 'fixed' },
    { id: 'edge-only', agent: 'edge-only', kind: 'fixed' },
    { id: 'cloud-only', agent: 'cloud-only', kind: 'fixed' },
    { id: 'offload-only', agent: 'offload-only', kind: 'learning' },
    { id: 'hybrid', agent: 'hybrid', kind: 'learning' },
    { id: 'factored', agent: 'factored', kind: 'learning' },
    { id: 'factored-trained', agent: 'factored', kind: 'learning', isTrained: true },
  ],
  seed: 1,
};

const LONGEST_PAUSE_MS = 20;

/**
 * Before each round, ms: the same for every strategy. Random, so that rounds do not keep step with the periods of a
 * limit on processor time.
 */
export function requestStream({ seed }: LiveScenario, rounds: number): readonly number[] {
  const random = seededRandom(seed);
  return Array.from({ length: rounds }, () => random() * LONGEST_PAUSE_MS);
}

/** The order of the strategies in a block: who was first is last in the next. */
export function orderOf<T>(strategies: readonly T[], block: number): readonly T[] {
  const first = block % strategies.length;
  return [...strategies.slice(first), ...strategies.slice(0, first)];
}

function conditions(rttMs: number, bytesPerMs: number): LinkConditions {
  return { delayMs: rttMs / 2, bytesPerSec: bytesPerMs * BYTES_PER_VALUE * 1000 };
}
