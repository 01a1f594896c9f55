import { SluiceError } from '../../contract';
import { TIERS } from './schema';
import type { Scenario, TierName, Variant } from './schema';

/** Codes of tiers in `System.choiceTier`. */
export const DEVICE = 0;
export const EDGE = 1;
export const CLOUD = 2;

/**
 * What may be decided and what is known beforehand of a scenario: the agents' view. Speeds, bandwidths and cores are
 * not in it; those are learned.
 *
 * A choice is a tier with a variant. A joint action is a `Uint8Array` of one choice for each user.
 */
export interface System {
  readonly users: number;
  readonly choices: number;
  /** [choices]: DEVICE, EDGE or CLOUD. */
  readonly choiceTier: Uint8Array;
  /** [choices]: index into `variants`. */
  readonly choiceVariant: Uint8Array;
  /** [choices], percent. */
  readonly choiceAccuracyPct: Float64Array;
  readonly variants: readonly Variant[];
  /**
   * Whether the tier's users run on one node: a scenario's devices are each user's own, a deployment's device is one
   * box.
   */
  readonly sharedTiers: readonly [device: boolean, edge: boolean, cloud: boolean];
  /** Sizes of the state's parts, by tier. */
  readonly cpuLevels: readonly [device: number, edge: number, cloud: number];
  readonly memoryLevels: readonly [device: number, edge: number, cloud: number];
  readonly mostAccuratePct: number;
  readonly leastAccuratePct: number;
}

/** @throws SluiceError `bad-input` when there are more than 256 choices. */
export function systemOf(scenario: Scenario): System {
  const { variants } = scenario;
  const pairs = TIERS.flatMap((name, tier) =>
    variants.flatMap(({ id }, variant) =>
      scenario.tiers[name].offers.includes(id) ? [{ tier, variant }] : [],
    ),
  );
  if (pairs.length > 256) {
    throw new SluiceError(
      'bad-input',
      `${scenario.name}: expected at most 256 choices, found ${pairs.length}.`,
    );
  }
  const accuracies = pairs.map(({ variant }) => variants[variant]!.accuracyPct);
  const levels = (part: 'busyThreads' | 'freeBytes') =>
    TIERS.map((name) => scenario.tiers[name].background[part].length) as [number, number, number];
  return {
    users: scenario.users,
    choices: pairs.length,
    choiceTier: Uint8Array.from(pairs, ({ tier }) => tier),
    choiceVariant: Uint8Array.from(pairs, ({ variant }) => variant),
    choiceAccuracyPct: Float64Array.from(accuracies),
    variants,
    sharedTiers: [false, true, true],
    cpuLevels: levels('busyThreads'),
    memoryLevels: levels('freeBytes'),
    mostAccuratePct: Math.max(...accuracies),
    leastAccuratePct: Math.min(...accuracies),
  };
}

/**
 * The state of the papers, by node: CPU, memory and link. Layout: three bytes a node, devices first, then edge, then
 * cloud. CPU and memory are level numbers of the node's background; link is a class number (0 regular, 1 weak): of
 * the device to the edge, and at edge and cloud of the backhaul between them.
 */
export type SystemState = Uint8Array;

export const STATE_CPU = 0;
export const STATE_MEMORY = 1;
export const STATE_LINK = 2;
const PARTS = 3;

/** Levels in a state: of every user's device, the edge and the cloud, three each. */
export function stateLength(users: number): number {
  return (users + 2) * PARTS;
}

/** The state of a deployment: every user stands on the one device. @param nodes device, edge, cloud. */
export function stateOfNodes(
  users: number,
  nodes: readonly { readonly cpu: number; readonly memory: number; readonly link: number }[],
): SystemState {
  const [device, ...shared] = nodes;
  const all = [...Array.from({ length: users }, () => device), ...shared];
  return Uint8Array.from(all.flatMap((node) => (node ? [node.cpu, node.memory, node.link] : [])));
}

/** Offset of a node's three bytes; `users` is the edge and `users + 1` the cloud. */
export function nodeOffset(node: number): number {
  return node * PARTS;
}

/** A state as a string of digits, for tables and logs. */
export function stateKey(state: SystemState): string {
  return String.fromCharCode(...state);
}

export function tierName(code: number): TierName {
  return TIERS[code]!;
}

/** `edge d4`. */
export function choiceName(system: System, choice: number): string {
  return `${tierName(system.choiceTier[choice]!)} ${system.variants[system.choiceVariant[choice]!]!.id}`;
}

/** Mean accuracy of a joint action, percent. */
export function meanAccuracyPct(system: System, action: Uint8Array): number {
  let sum = 0;
  for (let user = 0; user < action.length; user += 1) sum += system.choiceAccuracyPct[action[user]!]!;
  return sum / action.length;
}

/** Published accuracies have one decimal; sums of them in binary do not. */
export const ACCURACY_TOLERANCE_PCT = 1e-6;
