import { SluiceError } from '../../contract';
import type { ResponseModel } from '../environment/response-model';
import {
  ACCURACY_TOLERANCE_PCT,
  CLOUD,
  EDGE,
  STATE_CPU,
  STATE_LINK,
  STATE_MEMORY,
  nodeOffset,
  stateKey,
} from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import { combineFronts, fastestPair } from './front';
import type { Front } from './front';
import { TierFronts } from './tier-fronts';
import type { TierPlan } from './tier-fronts';

export interface BestAction {
  readonly action: Uint8Array;
  readonly meanResponseMs: number;
}

/** Users no tier can tell apart: same access link, same levels of their devices. */
interface Group {
  readonly users: readonly number[];
  readonly link: number;
  readonly cpuLevel: number;
  readonly memoryLevel: number;
}

/** How many users of each group each shared tier serves; the rest stay on their devices. */
type Split = readonly { readonly edge: number; readonly cloud: number }[];

/** A split with the fronts of both its halves. */
interface SplitFronts {
  readonly split: Split;
  readonly localAndEdge: Front<LocalAndEdge>;
  readonly cloud: Front<TierPlan>;
}

interface LocalAndEdge {
  readonly device: readonly Uint8Array[];
  readonly edge: TierPlan;
}

const KEPT_STATES = 64;

/**
 * The fastest joint action of a state that meets the threshold, by enumeration of what symmetry leaves: tiers do not
 * disturb each other, so each is reduced to its front of time against accuracy, and fronts are combined for every
 * split of every group over the tiers. Exact: a test compares it with every joint action for up to three users.
 */
export class ExactOracle {
  private readonly fronts: TierFronts;
  /** Of the states last asked for: thresholds are usually swept. */
  private readonly kept = new Map<string, readonly SplitFronts[]>();

  /** @param allowed [choices], 1 for those it may use; default all. */
  constructor(
    private readonly system: System,
    truth: ResponseModel,
    allowed: Uint8Array = new Uint8Array(system.choices).fill(1),
  ) {
    if (system.users > 8) {
      throw new SluiceError(
        'unsupported',
        `The exact oracle enumerates up to 8 users, found ${system.users}.`,
      );
    }
    this.fronts = new TierFronts(system, truth, allowed);
  }

  /** @throws SluiceError `bad-input` when no joint action meets the threshold. */
  best(state: SystemState, thresholdPct: number): BestAction {
    const { users, mostAccuratePct } = this.system;
    const deficitPct = users * (mostAccuratePct - thresholdPct + ACCURACY_TOLERANCE_PCT);
    const groups = this.groupsOf(state);
    let best: { totalMs: number; split: Split; plans: LocalAndEdge; cloud: TierPlan } | undefined;
    for (const { split, localAndEdge, cloud } of this.splitFronts(state, groups)) {
      const pair = fastestPair(localAndEdge, cloud, deficitPct);
      if (pair && (!best || pair.totalMs < best.totalMs)) {
        best = { totalMs: pair.totalMs, split, plans: pair.a, cloud: pair.b };
      }
    }
    if (!best) {
      throw new SluiceError(
        'bad-input',
        `Accuracy threshold ${thresholdPct} %: no joint action reaches it; the most accurate variant has ${mostAccuratePct} %.`,
        { thresholdPct, mostAccuratePct },
      );
    }
    const action = actionOf(groups, best.split, best.plans, best.cloud, users);
    return { action, meanResponseMs: best.totalMs / users };
  }

  private splitFronts(state: SystemState, groups: readonly Group[]): readonly SplitFronts[] {
    const key = stateKey(state);
    const kept = this.kept.get(key);
    if (kept) return kept;
    const made = splitsOf(groups).map((split) => ({
      split,
      localAndEdge: this.localAndEdge(state, groups, split),
      cloud: this.tier(state, groups, split, CLOUD),
    }));
    if (this.kept.size >= KEPT_STATES) this.kept.clear();
    this.kept.set(key, made);
    return made;
  }

  private groupsOf(state: SystemState): readonly Group[] {
    const groups = new Map<string, Group & { readonly users: number[] }>();
    for (let user = 0; user < this.system.users; user += 1) {
      const node = nodeOffset(user);
      const link = state[node + STATE_LINK]!;
      const cpuLevel = state[node + STATE_CPU]!;
      const memoryLevel = state[node + STATE_MEMORY]!;
      const key = [link, cpuLevel, memoryLevel].join();
      const group = groups.get(key) ?? { users: [], link, cpuLevel, memoryLevel };
      group.users.push(user);
      groups.set(key, group);
    }
    return [...groups.values()];
  }

  private localAndEdge(state: SystemState, groups: readonly Group[], split: Split): Front<LocalAndEdge> {
    let device: Front<readonly Uint8Array[]> = [{ deficitPct: 0, totalMs: 0, plan: [] }];
    groups.forEach(({ users, cpuLevel, memoryLevel }, index) => {
      const local = users.length - split[index]!.edge - split[index]!.cloud;
      const front = this.fronts.device(cpuLevel, memoryLevel, local);
      device = combineFronts(device, front, (plans, plan) => [...plans, plan]);
    });
    const edge = this.tier(state, groups, split, EDGE);
    return combineFronts(device, edge, (plans, plan) => ({ device: plans, edge: plan }));
  }

  private tier(state: SystemState, groups: readonly Group[], split: Split, tier: number): Front<TierPlan> {
    const counts = [0, 0];
    groups.forEach(({ link }, index) => {
      counts[link]! += tier === EDGE ? split[index]!.edge : split[index]!.cloud;
    });
    return this.fronts.shared(state, tier, counts[0]!, counts[1]!);
  }
}

function splitsOf(groups: readonly Group[]): Split[] {
  let splits: Split[] = [[]];
  for (const { users } of groups) {
    const own: Split[number][] = [];
    for (let edge = 0; edge <= users.length; edge += 1) {
      for (let cloud = 0; edge + cloud <= users.length; cloud += 1) own.push({ edge, cloud });
    }
    splits = splits.flatMap((split) => own.map((counts) => [...split, counts]));
  }
  return splits;
}

function actionOf(
  groups: readonly Group[],
  split: Split,
  { device, edge }: LocalAndEdge,
  cloud: TierPlan,
  users: number,
): Uint8Array {
  const action = new Uint8Array(users);
  const edgeTaken = [0, 0];
  const cloudTaken = [0, 0];
  groups.forEach(({ users: members, link }, index) => {
    const counts = split[index]!;
    members.forEach((user, position) => {
      if (position < counts.edge) action[user] = edge[link]![edgeTaken[link]!++]!;
      else if (position < counts.edge + counts.cloud) action[user] = cloud[link]![cloudTaken[link]!++]!;
      else action[user] = device[index]![position - counts.edge - counts.cloud]!;
    });
  });
  return action;
}
