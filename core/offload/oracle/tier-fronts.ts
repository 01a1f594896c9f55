import type { ResponseModel, TierLoad } from '../environment/response-model';
import { STATE_CPU, STATE_LINK, STATE_MEMORY, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import { multisets, paretoFront } from './front';
import type { Front, FrontPoint } from './front';

/** Choices of the users a shared tier serves, by link class. */
export type TierPlan = readonly [regular: Uint8Array, weak: Uint8Array];

/**
 * Fronts of single tiers. Users of one link class are exchangeable on a shared tier, users at one level of background
 * on their devices, so multisets of variants are enumerated instead of assignments. Fronts are kept: they do not
 * depend on the threshold, nor on the other nodes.
 */
export class TierFronts {
  private readonly kept = new Map<string, Front<TierPlan>>();
  private readonly keptDevice = new Map<string, Front<Uint8Array>>();
  private readonly load: TierLoad;
  private readonly responseMs: Float64Array;
  /** By tier: the choices that may be made there. */
  private readonly choicesOf: readonly (readonly number[])[];

  /** @param allowed [choices], 1 for those the oracle may use. */
  constructor(
    private readonly system: System,
    private readonly truth: ResponseModel,
    allowed: Uint8Array,
  ) {
    const { users, choices, choiceTier } = system;
    this.load = { count: 0, link: new Uint8Array(users), variant: new Uint8Array(users) };
    this.responseMs = new Float64Array(users);
    const every = Array.from({ length: choices }, (_, choice) => choice).filter(
      (choice) => allowed[choice] === 1,
    );
    this.choicesOf = [0, 1, 2].map((tier) => every.filter((choice) => choiceTier[choice] === tier));
  }

  /** @returns the front of a shared tier that serves these many users of each link class. */
  shared(state: SystemState, tier: number, regular: number, weak: number): Front<TierPlan> {
    const node = nodeOffset(this.system.users + tier - 1);
    const levels = [state[node + STATE_CPU], state[node + STATE_MEMORY], state[node + STATE_LINK]];
    const key = [tier, ...levels, regular, weak].join();
    const kept = this.kept.get(key);
    if (kept) return kept;
    const choices = this.choicesOf[tier]!;
    const points: FrontPoint<TierPlan>[] = [];
    multisets(choices.length, regular, (first) => {
      multisets(choices.length, weak, (second) => {
        points.push(this.sharedPoint(state, tier, [choose(choices, first), choose(choices, second)]));
      });
    });
    const front = paretoFront(points);
    this.kept.set(key, front);
    return front;
  }

  /** @returns the front of this many users who run on devices of these levels. */
  device(cpuLevel: number, memoryLevel: number, users: number): Front<Uint8Array> {
    const key = [cpuLevel, memoryLevel, users].join();
    const kept = this.keptDevice.get(key);
    if (kept) return kept;
    const choices = this.choicesOf[0]!;
    const points: FrontPoint<Uint8Array>[] = [];
    multisets(choices.length, users, (members) => {
      const plan = choose(choices, members);
      let totalMs = 0;
      for (const choice of plan) {
        totalMs += this.truth.deviceMs(cpuLevel, memoryLevel, this.system.choiceVariant[choice]!);
      }
      points.push({ deficitPct: this.deficitPct(plan), totalMs, plan });
    });
    const front = paretoFront(points);
    this.keptDevice.set(key, front);
    return front;
  }

  private sharedPoint(state: SystemState, tier: number, plan: TierPlan): FrontPoint<TierPlan> {
    const { load } = this;
    load.count = 0;
    plan.forEach((choices, link) => {
      for (const choice of choices) {
        load.link[load.count] = link;
        load.variant[load.count] = this.system.choiceVariant[choice]!;
        load.count += 1;
      }
    });
    const totalMs = load.count === 0 ? 0 : this.truth.sharedMs(state, tier, load, this.responseMs);
    return { deficitPct: this.deficitPct(plan[0]) + this.deficitPct(plan[1]), totalMs, plan };
  }

  private deficitPct(choices: Uint8Array): number {
    let sum = 0;
    for (const choice of choices) sum += this.system.mostAccuratePct - this.system.choiceAccuracyPct[choice]!;
    return sum;
  }
}

function choose(choices: readonly number[], members: Uint8Array): Uint8Array {
  return members.map((member) => choices[member]!);
}
