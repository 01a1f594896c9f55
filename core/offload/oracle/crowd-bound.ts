import { SluiceError } from '../../contract';
import { LINK_CLASSES, TIERS, timeRatioOf } from '../scenario/schema';
import type { Scenario } from '../scenario/schema';
import {
  systemOf,
  CLOUD,
  DEVICE,
  EDGE,
  STATE_CPU,
  STATE_LINK,
  STATE_MEMORY,
  nodeOffset,
} from '../scenario/system';
import type { System, SystemState } from '../scenario/system';

/** Doublings and halvings of the price of accuracy. */
const PRICE_STEPS = 60;
const MOST_PRICE_MS = 1e4;

/** A variant as one tier serves it. */
interface Service {
  /** ms alone on a core. */
  readonly workMs: number;
  readonly deficitPct: number;
}

/**
 * A lower bound on the mean response time of any number of users, where all links of a kind are of one class, payloads
 * are equal and memory is free: then everything a tier serves arrives at once, and its summed response time depends on
 * how many run each variant. The accuracy threshold is priced (Lagrange), and for every price the best numbers are
 * found exactly: sorted by work, the summed time is separable in how many are still running. The bound is the best
 * price's; its gap to the optimum is about what one user weighs.
 */
export class CrowdBound {
  private readonly system: System;
  private readonly bytes: number;

  /** @throws SluiceError `unsupported` when payloads differ. */
  constructor(private readonly scenario: Scenario) {
    this.system = systemOf(scenario);
    const payloads = new Set(scenario.variants.map(({ payloadBytes }) => payloadBytes));
    const [bytes] = payloads;
    if (payloads.size !== 1 || bytes === undefined) {
      throw new SluiceError(
        'unsupported',
        `The bound needs one payload size, found ${[...payloads].join(', ')}.`,
      );
    }
    this.bytes = bytes;
  }

  /** @throws SluiceError `unsupported` for a state with links of both classes or short memory. */
  meanMs(state: SystemState, thresholdPct: number): number {
    this.check(state);
    const { users, mostAccuratePct } = this.system;
    const budgetPct = users * (mostAccuratePct - thresholdPct);
    let low = 0;
    let high = MOST_PRICE_MS;
    let best = -Infinity;
    // The dual is concave in the price: golden steps are not needed, thirds do.
    for (let step = 0; step < PRICE_STEPS; step += 1) {
      const left = low + (high - low) / 3;
      const right = high - (high - low) / 3;
      const leftValue = this.dual(state, left) - left * budgetPct;
      const rightValue = this.dual(state, right) - right * budgetPct;
      best = Math.max(best, leftValue, rightValue);
      if (leftValue < rightValue) low = left;
      else high = right;
    }
    best = Math.max(best, this.dual(state, 0));
    return best / users;
  }

  /** Least summed response time plus price times summed deficit. */
  private dual(state: SystemState, price: number): number {
    const { users } = this.system;
    const edge = this.sharedCosts(state, EDGE, price);
    const cloud = this.sharedCosts(state, CLOUD, price);
    const local = this.localCosts(state, price);
    let best = Infinity;
    for (let onEdge = 0; onEdge <= users; onEdge += 1) {
      for (let onCloud = 0; onEdge + onCloud <= users; onCloud += 1) {
        best = Math.min(best, edge[onEdge]! + cloud[onCloud]! + local[users - onEdge - onCloud]!);
      }
    }
    return best;
  }

  /** [users + 1]: of so many users on their own devices, those whose devices are quickest. */
  private localCosts(state: SystemState, price: number): Float64Array {
    const { users } = this.system;
    const { overheadMs, background, cores } = this.scenario.tiers.device;
    const services = this.servicesOf(DEVICE);
    const costs = Array.from({ length: users }, (_, user) => {
      const busy = background.busyThreads[state[nodeOffset(user) + STATE_CPU]!]!;
      const slowdown = Math.max(1, (1 + busy) / cores);
      return Math.min(
        ...services.map(({ workMs, deficitPct }) => overheadMs + workMs * slowdown + price * deficitPct),
      );
    }).sort((a, b) => a - b);
    const sums = new Float64Array(users + 1);
    costs.forEach((cost, index) => (sums[index + 1] = sums[index]! + cost));
    return sums;
  }

  /** [users + 1]: least cost of so many users on a shared tier. */
  private sharedCosts(state: SystemState, tier: number, price: number): Float64Array {
    const { users } = this.system;
    const { cores, background } = this.scenario.tiers[TIERS[tier]!];
    const node = nodeOffset(users + tier - EDGE);
    const busy = background.busyThreads[state[node + STATE_CPU]!]!;
    const services = this.servicesOf(tier);
    // From the largest work down: `least[m]` is the best of all phases above when m still run in the one below.
    let least = new Float64Array(users + 1);
    for (let index = services.length - 1; index >= 0; index -= 1) {
      const below = services[index - 1];
      const phaseMs = services[index]!.workMs - (below?.workMs ?? 0);
      const addedPct = services[index]!.deficitPct - (below?.deficitPct ?? 0);
      const costs = least.map((above, running) => {
        const slowdown = Math.max(1, (running + busy) / cores);
        return above + running * (phaseMs * slowdown + price * addedPct);
      });
      // Any smaller number may reach this phase, except the first, which all of them pass.
      if (index > 0) for (let m = 1; m <= users; m += 1) costs[m] = Math.min(costs[m]!, costs[m - 1]!);
      least = costs;
    }
    return least.map((cost, count) => cost + count * this.travelMs(state, tier, count));
  }

  /** Link time and fixed parts of each of `count` users. */
  private travelMs(state: SystemState, tier: number, count: number): number {
    const { links, tiers, users } = this.scenario;
    const access = links.access[LINK_CLASSES[state[nodeOffset(0) + STATE_LINK]!]!];
    const accessMs = access.rttMs + this.bytes / access.bytesPerMs;
    if (tier === EDGE) return accessMs + tiers.edge.overheadMs;
    const backhaul = links.backhaul[LINK_CLASSES[state[nodeOffset(users + 1) + STATE_LINK]!]!];
    return accessMs + backhaul.rttMs + (count * this.bytes) / backhaul.bytesPerMs + tiers.cloud.overheadMs;
  }

  /** What a tier offers, by rising work; variants that are slower and no more accurate can't help. */
  private servicesOf(tier: number): readonly Service[] {
    const { choices, choiceTier, choiceVariant, choiceAccuracyPct, mostAccuratePct } = this.system;
    const { mMacsPerMs } = this.scenario.tiers[TIERS[tier]!];
    const services: Service[] = [];
    for (let choice = 0; choice < choices; choice += 1) {
      if (choiceTier[choice] !== tier) continue;
      const variant = this.scenario.variants[choiceVariant[choice]!]!;
      const workMs = (variant.mMacs / mMacsPerMs) * timeRatioOf(this.scenario, TIERS[tier]!, variant);
      services.push({ workMs, deficitPct: mostAccuratePct - choiceAccuracyPct[choice]! });
    }
    return services
      .filter(
        (own) =>
          !services.some(
            (other) => other !== own && other.workMs <= own.workMs && other.deficitPct <= own.deficitPct,
          ),
      )
      .sort((a, b) => a.workMs - b.workMs);
  }

  private check(state: SystemState): void {
    const { users } = this.system;
    const classes = new Set(Array.from({ length: users }, (_, user) => state[nodeOffset(user) + STATE_LINK]));
    const streams = TIERS.some((name, tier) => {
      const nodes =
        tier === DEVICE ? Array.from({ length: users }, (_, user) => user) : [users + tier - EDGE];
      const { freeBytes } = this.scenario.tiers[name].background;
      return nodes.some((node) => {
        const free = freeBytes[state[nodeOffset(node) + STATE_MEMORY]!]!;
        return this.scenario.variants.some(({ weightBytes }) => weightBytes > free);
      });
    });
    if (classes.size === 1 && !streams) return;
    throw new SluiceError(
      'unsupported',
      'The bound needs access links of one class and memory for all weights.',
    );
  }
}
