import { LINK_CLASSES } from '../scenario/schema';
import { CLOUD, DEVICE, EDGE, STATE_CPU, STATE_LINK, STATE_MEMORY, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import { RidgeRegression } from './linear-system';

/** Numbers of inferences at once between which a service curve is a straight line. */
const KNOTS = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1000];
const LINKS = LINK_CLASSES.length;
/** int8 times over fp32 times that are looked for. */
const LEAST_RATIO = 0.2;
const MOST_RATIO = 2;
const RATIO_STEPS = 9;
/** Keeps the weight of the crowd's feature near those of others. */
const CROWD_UNIT = 10;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
/** Weak: what was never seen stays near zero, that is promising, until it is tried. */
const RIDGE = 1e-6;
/** A prediction counts when each of its parts was measured in this many rounds. */
const FAMILIAR_ROUNDS = 10;
/** A measurement's scale is the prediction, as far as it is not off by more than this factor. */
const MOST_OFF = 3;
/** Slower paces than learned are believed without end; faster ones down to this share. */
const LEAST_PACE_FACTOR = 0.02;

/** What one user's response time is explained by, and the time. */
interface Sample {
  readonly cpuLevel: number;
  readonly memoryLevel: number;
  readonly link: number;
  readonly backhaul: number;
  readonly variant: number;
  /** [variants]: inferences on the same node at once, this one included. */
  readonly counts: Uint16Array;
  readonly responseMs: number;
  /** About how long such a response takes: noise grows with it. */
  scaleMs: number;
}

/**
 * A tier's response times learned from measured ones. It assumes no speed, core count or bandwidth, but this much
 * of any computer: a fixed part for each link class, a part for streamed weights, a part that grows with how many share
 * the way there, and service whose pace depends on how many inferences run at once. With works sorted, an inference passes through phases during which k inferences
 * run; a phase of so many MMACs takes them times c(k). The service curve c is learned at knots, for each level of
 * background. int8 networks count as their MMACs times one ratio, learned too.
 */
export class ServiceCurves {
  readonly weights: Float64Array;
  ratio = 1;
  /** [variants], MMACs as if fp32. */
  readonly work: Float64Array;
  /** Variants by rising work. */
  readonly order: Int32Array;
  private readonly shared: boolean;
  private readonly knots: readonly number[];
  private readonly interceptCount: number;
  private readonly streamAt: number;
  /** Of the part that grows with the number of users served: one a backhaul class in the cloud, else one. */
  private readonly crowdAt: number;
  private readonly curveAt: number;
  private readonly row: Float64Array;
  private readonly regression: RidgeRegression;
  private readonly trial: Float64Array;
  /** What is held of directions no measurement speaks of. */
  private readonly prior: Float64Array;
  private samples: Sample[] = [];
  private nextSample = 0;
  /** [weights]: in how many rounds each had a part, and the last of those. */
  private readonly seenRounds: Uint32Array;
  private readonly lastRound: Uint32Array;
  private round = 1;

  constructor(
    private readonly system: System,
    readonly tier: number,
    private readonly window: number,
  ) {
    this.shared = system.sharedTiers[tier]!;
    const jobs = this.shared ? system.users : 1;
    const last = KNOTS.findIndex((knot) => knot >= jobs);
    this.knots = last < 0 ? KNOTS : KNOTS.slice(0, last + 1);
    this.interceptCount = tier === DEVICE ? 1 : tier === EDGE ? LINKS : LINKS * LINKS;
    this.streamAt = this.interceptCount;
    this.crowdAt = this.streamAt + system.memoryLevels[tier]! - 1;
    this.curveAt = this.crowdAt + (this.shared ? (tier === CLOUD ? LINKS : 1) : 0);
    const size = this.curveAt + system.cpuLevels[tier]! * this.knots.length;
    this.weights = new Float64Array(size);
    this.trial = new Float64Array(size);
    this.prior = new Float64Array(size);
    this.row = new Float64Array(size);
    this.seenRounds = new Uint32Array(size);
    this.lastRound = new Uint32Array(size);
    this.regression = new RidgeRegression(size, RIDGE);
    this.work = new Float64Array(system.variants.length);
    this.order = new Int32Array(system.variants.length);
    this.setRatio(1);
  }

  /**
   * Keeps a measurement; `counts` is copied. The oldest goes when the window is full.
   * @returns log(measured / predicted); undefined where that says nothing, because too little like it was measured yet.
   */
  observe(
    state: SystemState,
    user: number,
    variant: number,
    counts: Uint16Array,
    responseMs: number,
  ): number | undefined {
    const sample = this.sampleOf(state, user, variant, this.shared ? counts.slice() : ALONE, responseMs);
    this.samples[this.nextSample] = sample;
    this.nextSample = (this.nextSample + 1) % this.window;
    this.fillRow(sample);
    const predictedMs = this.dot(this.weights);
    return this.countSeen() >= FAMILIAR_ROUNDS && predictedMs > 0
      ? Math.log(responseMs / predictedMs)
      : undefined;
  }

  /** Predicted response time of one user, ms. @param counts [variants]: inferences on its node, its own included. */
  predictMs(state: SystemState, user: number, variant: number, counts: Uint16Array): number {
    this.fillRow(this.sampleOf(state, user, variant, counts, 0));
    return this.dot(this.weights);
  }

  /** What is observed next belongs to another round. */
  endRound(): void {
    this.round += 1;
  }

  /**
   * The tier has changed: only the last `keep` measurements count. Where those say nothing, what was learned before
   * holds, at the pace that fits them best: a node that became slower for some is held slower for all.
   */
  forget(keep: number): void {
    const oldestFirst = [...this.samples.slice(this.nextSample), ...this.samples.slice(0, this.nextSample)];
    this.samples = oldestFirst.slice(-keep);
    this.nextSample = this.samples.length % this.window;
    this.prior.set(this.weights);
    const factor = Math.max(LEAST_PACE_FACTOR, this.paceFactor());
    for (let at = this.curveAt; at < this.prior.length; at += 1) this.prior[at]! *= factor;
  }

  /** Fits what the window holds. @param searchRatio also looks for the int8 ratio, which costs ten times as much. */
  fit(searchRatio: boolean): void {
    if (this.samples.length === 0) return;
    this.scaleSamples();
    if (searchRatio) this.setRatio(this.bestRatio());
    this.fitWeights(this.weights);
  }

  /** The part that depends on the user alone: link and streamed weights, ms. */
  fixedMs(state: SystemState, user: number, variant: number): number {
    const memoryLevel = state[this.nodeOf(user) + STATE_MEMORY]!;
    const streamMs =
      memoryLevel === 0 ? 0 : this.weights[this.streamAt + memoryLevel - 1]! * this.streamedMb(variant);
    return this.weights[this.linkOf(state, user)]! + streamMs;
  }

  /** What each further user adds to everybody's time, ms. */
  crowdMs(state: SystemState): number {
    return this.shared ? this.weights[this.crowdAt + this.backhaulOf(state)]! / CROWD_UNIT : 0;
  }

  /** ms for a MMAC while `running` inferences run, at a background level; learned, linear between knots. */
  paceMs(cpuLevel: number, running: number): number {
    const at = this.curveAt + cpuLevel * this.knots.length;
    const upper = this.knotAbove(running);
    const lower = Math.max(0, upper - 1);
    const share = this.shareOfUpper(running, lower, upper);
    return this.weights[at + lower]! * (1 - share) + this.weights[at + upper]! * share;
  }

  setRatio(ratio: number): void {
    this.ratio = ratio;
    this.system.variants.forEach(({ mMacs, precision }, index) => {
      this.work[index] = mMacs * (precision === 'int8' ? ratio : 1);
    });
    const sorted = [...this.work.keys()].sort((a, b) => this.work[a]! - this.work[b]!);
    this.order.set(sorted);
  }

  /** Takes over weights learned with `users` users; a window of measurements must still come. */
  adopt(weights: ArrayLike<number>, ratio: number, users: number): void {
    this.setRatio(ratio);
    const source = new ServiceCurves({ ...this.system, users }, this.tier, 1);
    for (let at = 0; at < this.curveAt; at += 1) this.weights[at] = weights[at]!;
    const levels = this.system.cpuLevels[this.tier]!;
    for (let level = 0; level < levels; level += 1) {
      this.knots.forEach((_, knot) => {
        const known = Math.min(knot, source.knots.length - 1);
        const from = source.curveAt + level * source.knots.length + known;
        this.weights[this.curveAt + level * this.knots.length + knot] = weights[from]!;
      });
    }
    this.prior.set(this.weights);
  }

  /** Background level of the node that serves a user. */
  cpuLevel(state: SystemState, user: number): number {
    return state[this.nodeOf(user) + STATE_CPU]!;
  }

  private nodeOf(user: number): number {
    return nodeOffset(this.tier === DEVICE ? user : this.system.users + this.tier - EDGE);
  }

  private linkOf(state: SystemState, user: number): number {
    if (this.tier === DEVICE) return 0;
    const access = state[nodeOffset(user) + STATE_LINK]!;
    return this.tier === CLOUD ? access * LINKS + this.backhaulOf(state) : access;
  }

  /** Class of the way that the tier's users share; there is none before the edge. */
  private backhaulOf(state: SystemState): number {
    return this.tier !== CLOUD ? 0 : state[nodeOffset(this.system.users + 1) + STATE_LINK]!;
  }

  private streamedMb(variant: number): number {
    return this.system.variants[variant]!.weightBytes / 1e6;
  }

  /** Golden-section search: the remaining error has one valley in the ratio where data is plenty. */
  private bestRatio(): number {
    let low = LEAST_RATIO;
    let high = MOST_RATIO;
    let left = high - GOLDEN * (high - low);
    let right = low + GOLDEN * (high - low);
    let leftError = this.errorAt(left);
    let rightError = this.errorAt(right);
    for (let step = 0; step < RATIO_STEPS; step += 1) {
      if (leftError <= rightError) {
        high = right;
        right = left;
        rightError = leftError;
        left = high - GOLDEN * (high - low);
        leftError = this.errorAt(left);
      } else {
        low = left;
        left = right;
        leftError = rightError;
        right = low + GOLDEN * (high - low);
        rightError = this.errorAt(right);
      }
    }
    return (low + high) / 2;
  }

  private errorAt(ratio: number): number {
    this.setRatio(ratio);
    return this.fitWeights(this.trial);
  }

  /** By what was measured itself the lucky ones would weigh most: of a queue, those served first. */
  private scaleSamples(): void {
    for (const sample of this.samples) {
      this.fillRow(sample);
      const { responseMs } = sample;
      const predictedMs = this.dot(this.weights);
      sample.scaleMs = Math.min(MOST_OFF * responseMs, Math.max(responseMs / MOST_OFF, predictedMs));
    }
  }

  private fitWeights(weights: Float64Array): number {
    this.regression.clear();
    for (const sample of this.samples) {
      this.fillRow(sample);
      // Relative errors count.
      this.regression.add(this.row, sample.responseMs - this.dot(this.prior), 1 / sample.scaleMs);
    }
    const remaining = this.regression.solve(weights);
    for (let at = 0; at < weights.length; at += 1) weights[at]! += this.prior[at]!;
    return remaining;
  }

  private sampleOf(
    state: SystemState,
    user: number,
    variant: number,
    counts: Uint16Array,
    responseMs: number,
  ): Sample {
    const node = this.nodeOf(user);
    return {
      cpuLevel: state[node + STATE_CPU]!,
      memoryLevel: state[node + STATE_MEMORY]!,
      link: this.linkOf(state, user),
      backhaul: this.backhaulOf(state),
      variant,
      counts,
      responseMs,
      scaleMs: responseMs,
    };
  }

  /** What `row` amounts to, ms. @param from the first weight that counts. */
  private dot(weights: Float64Array, from = 0): number {
    let sum = 0;
    for (let at = from; at < this.row.length; at += 1) sum += this.row[at]! * weights[at]!;
    return sum;
  }

  /** Counts the round to each weight in `row`. @returns how many the least known of those had. */
  private countSeen(): number {
    let least = Infinity;
    for (let at = 0; at < this.row.length; at += 1) {
      if (this.row[at] === 0) continue;
      if (this.lastRound[at] !== this.round) this.seenRounds[at]! += 1;
      this.lastRound[at] = this.round;
      least = Math.min(least, this.seenRounds[at]!);
    }
    return least;
  }

  /** By how much all learned paces together must change to fit the measurements best. */
  private paceFactor(): number {
    let products = 0;
    let squares = 0;
    for (const sample of this.samples) {
      this.fillRow(sample);
      const serviceMs = this.dot(this.weights, this.curveAt);
      const weight = 1 / sample.scaleMs ** 2;
      products += weight * serviceMs * (sample.responseMs - this.dot(this.weights) + serviceMs);
      squares += weight * serviceMs * serviceMs;
    }
    return squares > 0 ? products / squares : 1;
  }

  private fillRow({ cpuLevel, memoryLevel, link, backhaul, variant, counts }: Sample): void {
    const { row } = this;
    row.fill(0);
    row[link] = 1;
    if (memoryLevel > 0) row[this.streamAt + memoryLevel - 1] = this.streamedMb(variant);
    const at = this.curveAt + cpuLevel * this.knots.length;
    if (!this.shared) {
      row[at] = this.work[variant]!;
      return;
    }
    let running = 0;
    for (const count of counts) running += count;
    row[this.crowdAt + backhaul] = running / CROWD_UNIT;
    let before = 0;
    for (const each of this.order) {
      const phase = this.work[each]! - before;
      const upper = this.knotAbove(running);
      const lower = Math.max(0, upper - 1);
      const share = this.shareOfUpper(running, lower, upper);
      row[at + lower]! += phase * (1 - share);
      row[at + upper]! += phase * share;
      if (each === variant) return;
      before = this.work[each]!;
      running -= counts[each]!;
    }
  }

  private knotAbove(running: number): number {
    const { knots } = this;
    let index = 0;
    while (index < knots.length - 1 && knots[index]! < running) index += 1;
    return index;
  }

  private shareOfUpper(running: number, lower: number, upper: number): number {
    if (lower === upper) return 0;
    return Math.min(1, (running - this.knots[lower]!) / (this.knots[upper]! - this.knots[lower]!));
  }
}

const ALONE = new Uint16Array(0);
