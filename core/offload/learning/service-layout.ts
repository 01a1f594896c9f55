import { LINK_CLASSES } from '../scenario/schema';
import { CLOUD, DEVICE, EDGE, STATE_CPU, STATE_LINK, STATE_MEMORY, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';

/** Numbers of inferences at once between which a service curve is a straight line. */
const KNOTS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1000];
const LINKS = LINK_CLASSES.length;

/** A place between two knots: `share` of the upper one, the rest of the lower one. */
export interface KnotPlace {
  readonly lower: number;
  readonly upper: number;
  readonly share: number;
}

/**
 * Which weights a tier's response times are made of, in this order: a fixed part for each link class; ms for each
 * streamed megabyte at each level of short memory; what each further user adds, by class of the way they share; ms for
 * a MMAC at each knot of each level of background.
 */
export class ServiceLayout {
  readonly shared: boolean;
  /** Inferences a node may have at once. */
  readonly mostJobs: number;
  readonly knots: readonly number[];
  readonly streamAt: number;
  readonly crowdAt: number;
  readonly curveAt: number;
  readonly size: number;
  /** By how many run. */
  private readonly places: readonly KnotPlace[];

  constructor(
    private readonly system: System,
    private readonly tier: number,
  ) {
    this.shared = system.sharedTiers[tier]!;
    this.mostJobs = this.shared ? system.users : 1;
    const last = KNOTS.findIndex((knot) => knot >= this.mostJobs);
    this.knots = last < 0 ? KNOTS : KNOTS.slice(0, last + 1);
    this.streamAt = tier === DEVICE ? 1 : tier === EDGE ? LINKS : LINKS * LINKS;
    this.crowdAt = this.streamAt + system.memoryLevels[tier]! - 1;
    this.curveAt = this.crowdAt + (this.shared ? (tier === CLOUD ? LINKS : 1) : 0);
    this.size = this.curveAt + system.cpuLevels[tier]! * this.knots.length;
    this.places = Array.from({ length: this.mostJobs + 1 }, (_, running) => this.placeBetween(running));
  }

  place(running: number): KnotPlace {
    return this.places[running]!;
  }

  curveOf(cpuLevel: number): number {
    return this.curveAt + cpuLevel * this.knots.length;
  }

  cpuLevel(state: SystemState, user: number): number {
    return state[this.nodeOf(user) + STATE_CPU]!;
  }

  memoryLevel(state: SystemState, user: number): number {
    return state[this.nodeOf(user) + STATE_MEMORY]!;
  }

  /** Class of a user's way to the tier. */
  link(state: SystemState, user: number): number {
    if (this.tier === DEVICE) return 0;
    const access = state[nodeOffset(user) + STATE_LINK]!;
    return this.tier === CLOUD ? access * LINKS + this.sharedWay(state) : access;
  }

  /** Class of the way that the tier's users share; there is none before the edge. */
  sharedWay(state: SystemState): number {
    return this.tier !== CLOUD ? 0 : state[nodeOffset(this.system.users + 1) + STATE_LINK]!;
  }

  /**
   * For each weight, where a layout of the same tier for another number of users has it. Curves of more users are cut,
   * those of fewer go on at the pace of the last known crowd.
   */
  originsIn(source: ServiceLayout): Int32Array {
    return Int32Array.from({ length: this.size }, (_, at) => {
      if (at < this.curveAt) return at;
      const level = Math.floor((at - this.curveAt) / this.knots.length);
      const knot = (at - this.curveAt) % this.knots.length;
      return source.curveOf(level) + Math.min(knot, source.knots.length - 1);
    });
  }

  private nodeOf(user: number): number {
    return nodeOffset(this.tier === DEVICE ? user : this.system.users + this.tier - EDGE);
  }

  private placeBetween(running: number): KnotPlace {
    const { knots } = this;
    let upper = 0;
    while (upper < knots.length - 1 && knots[upper]! < running) upper += 1;
    const lower = Math.max(0, upper - 1);
    if (lower === upper) return { lower, upper, share: 0 };
    return { lower, upper, share: Math.min(1, (running - knots[lower]!) / (knots[upper]! - knots[lower]!)) };
  }
}
