import { LINK_CLASSES } from '../scenario/schema';
import { DEVICE, STATE_LINK, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import { ServiceLayout } from './service-layout';

const LINKS = LINK_CLASSES.length;
const TYPICAL_CROWD = 4;
/** How far a variant is expected to be off what its MMACs say. */
const OWN_SHARE = 0.3;
/** Features other than zero, at most. */
const MOST = 7;

/**
 * Features by which a linear model of one tier can express a crowd: the way there by class, streamed weights, work at
 * each level of background and what each variant is off it, and the work that others have beside one's own, apart for each number of
 * inferences at once: what slows nobody while cores are free slows everybody when they are not. Others are those who
 * come by links of the same class: they arrive together. Few are other than zero, so they are kept as a list.
 */
export class CrowdFeatures {
  /** Features there are. */
  readonly size: number;
  /** Those other than zero after `fill`. */
  readonly at = new Int32Array(MOST);
  readonly value = new Float64Array(MOST);
  length = 0;
  private readonly layout: ServiceLayout;
  /** For each level of background: work in fp32 and in int8, then each variant's own. */
  private readonly variantAt: number;
  private readonly perLevel: number;
  private readonly work: Float64Array;
  private readonly megabytes: Float64Array;
  /** [links, variants], and [links] in all. */
  private readonly counts: Int32Array;
  private readonly totals = new Int32Array(LINKS);

  constructor(
    private readonly system: System,
    private readonly tier: number,
  ) {
    const { variants, cpuLevels } = system;
    this.layout = new ServiceLayout(system, tier);
    this.variantAt = this.layout.size;
    this.perLevel = 2 + variants.length;
    this.size = this.variantAt + cpuLevels[tier]! * this.perLevel;
    const most = Math.max(...variants.map(({ mMacs }) => mMacs));
    this.work = Float64Array.from(variants, ({ mMacs }) => mMacs / most);
    this.megabytes = Float64Array.from(variants, ({ weightBytes }) => weightBytes / 16e6);
    this.counts = new Int32Array(LINKS * variants.length);
  }

  /** For each feature, where those for another number of users have it; see `ServiceLayout.originsIn`. */
  originsIn(source: CrowdFeatures): Int32Array {
    const origins = new Int32Array(this.size);
    origins.set(this.layout.originsIn(source.layout));
    for (let at = this.variantAt; at < this.size; at += 1)
      origins[at] = source.variantAt + at - this.variantAt;
    return origins;
  }

  clear(): void {
    this.counts.fill(0);
    this.totals.fill(0);
  }

  /** Counts a user of the tier. */
  add(state: SystemState, user: number, variant: number, change: number): void {
    const link = this.classOf(state, user);
    this.counts[link * this.work.length + variant]! += change;
    this.totals[link]! += change;
  }

  /** For one of the users counted. */
  fill(state: SystemState, user: number, variant: number): void {
    const { layout } = this;
    const cpuLevel = layout.cpuLevel(state, user);
    const memoryLevel = layout.memoryLevel(state, user);
    this.length = 0;
    this.push(layout.link(state, user), 1);
    const levelAt = this.variantAt + cpuLevel * this.perLevel;
    const work = this.work[variant]!;
    this.push(levelAt + Number(this.system.variants[variant]!.precision === 'int8'), work);
    this.push(levelAt + 2 + variant, OWN_SHARE * work);
    if (memoryLevel > 0) this.push(layout.streamAt + memoryLevel - 1, this.megabytes[variant]!);
    if (!layout.shared) return;
    const link = this.classOf(state, user);
    const running = this.totals[link]!;
    if (running < 2) return;
    this.push(layout.crowdAt + layout.sharedWay(state), (running - 1) / TYPICAL_CROWD);
    const beside = this.workBeside(link, variant);
    const curve = layout.curveOf(cpuLevel);
    const { lower, upper, share } = layout.place(running);
    if (share < 1) this.push(curve + lower, beside * (1 - share));
    if (share > 0) this.push(curve + upper, beside * share);
  }

  /** Of each other inference, as much as runs beside one's own. */
  private workBeside(link: number, variant: number): number {
    const own = this.work[variant]!;
    let sum = -own;
    for (let other = 0; other < this.work.length; other += 1) {
      const count = this.counts[link * this.work.length + other]!;
      if (count > 0) sum += count * Math.min(own, this.work[other]!);
    }
    return sum;
  }

  private classOf(state: SystemState, user: number): number {
    return this.tier === DEVICE ? 0 : state[nodeOffset(user) + STATE_LINK]!;
  }

  private push(at: number, value: number): void {
    this.at[this.length] = at;
    this.value[this.length] = value;
    this.length += 1;
  }
}
