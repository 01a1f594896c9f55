import type { System, SystemState } from '../scenario/system';
import { Familiarity } from './familiarity';
import { NormalEquations } from './linear-system';
import { ServiceLayout } from './service-layout';
import { CROWD_UNIT, ServiceRows, dot } from './service-rows';
import type { RequestKind, ServedRound } from './service-rows';
import { SlidingWindow } from './sliding-window';
import { Works } from './works';

/** Weak: what was never seen stays near zero, that is promising, until it is tried. */
const RIDGE = 1e-6;
/** What was learned before a change is expected to be off by this much of itself. */
const CHANGED_BY = 0.2;
/**
 * How firmly works are held to be as the MMACs say, and those of int8 networks to differ by one factor: the square of
 * the noise (some percent) over that of what a network is expected to be off by (some tenths).
 */
const WORK_RIDGE = 0.01;
const INT8_RIDGE = 0.001;
/** Windows after which what was measured has all but faded. */
const LASTING_WINDOWS = 4;
/** Noise of measurements that ridges and doubts are told by, relative. */
const NOISE = 0.03;
/** A measurement is compared with a prediction that is surer than this, relative, and not of something new. */
const SURE = 0.15;
const FAMILIAR_ROUNDS = 10;
/** Slower paces than learned are believed without end; faster ones down to this share. */
const LEAST_PACE_FACTOR = 0.02;

/** How a round's measurements compare with what was predicted. */
export interface RoundError {
  readonly measured: number;
  /** Mean of log(measured / predicted) over what was to be expected; absent where nothing was. */
  readonly logRatio?: number;
}

/**
 * A tier's response times learned from measured ones. It assumes no speed, core count or bandwidth, but this much of
 * any computer: a fixed part for each link class, a part for streamed weights and one that grows with how many share
 * the way there come first; then service, whose pace depends on how many inferences run at once. That curve of pace is
 * learned at knots, for each level of background; so are the works of the variants.
 */
export class ServiceCurves {
  /** See `ServiceLayout`. */
  readonly weights: Float64Array;
  readonly works: Works;
  /** [levels][running]: ms for a MMAC while so many inferences run. */
  readonly paces: readonly Float64Array[];
  readonly layout: ServiceLayout;
  private readonly megabytes: Float64Array;
  private readonly served: ServiceRows;
  private readonly equations: NormalEquations;
  /** Of the rounds that left the window: variants that decisions no longer choose stay known. */
  private readonly faded: NormalEquations;
  private readonly ridge: Float64Array;
  /** [weights, works]: what is held where no measurement speaks. */
  private readonly prior: Float64Array;
  private readonly solution: Float64Array;
  private readonly window: SlidingWindow<ServedRound>;
  private readonly familiarity: Familiarity;

  /** @param capacity measurements kept as they are; what they said lives on for some times as many. */
  constructor(
    private readonly system: System,
    readonly tier: number,
    private readonly capacity: number,
  ) {
    const { variants, users } = system;
    this.layout = new ServiceLayout(system, tier);
    const { size, mostJobs } = this.layout;
    this.weights = new Float64Array(size);
    this.works = new Works(system);
    this.paces = Array.from({ length: system.cpuLevels[tier]! }, () => new Float64Array(mostJobs + 1));
    this.megabytes = Float64Array.from(variants, ({ weightBytes }) => weightBytes / 1e6);
    this.served = new ServiceRows(this.layout, this, this.megabytes, users);
    const unknowns = size + this.works.unknowns;
    this.ridge = new Float64Array(unknowns).fill(RIDGE, 0, size).fill(WORK_RIDGE, size + 1);
    this.ridge[size] = INT8_RIDGE;
    this.familiarity = new Familiarity(unknowns);
    this.equations = new NormalEquations(unknowns);
    this.faded = new NormalEquations(unknowns);
    this.prior = new Float64Array(unknowns);
    this.solution = new Float64Array(unknowns);
    this.window = new SlidingWindow(capacity);
  }

  /** Keeps what a round measured on this tier. The oldest rounds go when the window is full. */
  observe(state: SystemState, action: Uint8Array, responseMs: Float64Array): RoundError {
    const round = this.roundOf(state, action, responseMs);
    const { measurements } = round;
    if (measurements === 0) return { measured: 0 };
    for (const dropped of this.window.add(round)) {
      this.faded.fade(1 - dropped.measurements / (LASTING_WINDOWS * this.capacity));
      this.addRound(this.faded, dropped);
    }
    this.served.fill(round);
    let sum = 0;
    let expected = 0;
    this.familiarity.beginRound();
    round.kinds.forEach((kind, index) => {
      const row = this.served.rows[index]!;
      const predictedMs = dot(row, this.weights);
      const familiar = this.familiarity.count(row) >= FAMILIAR_ROUNDS;
      if (!familiar || predictedMs <= 0 || !this.isSure(row, predictedMs)) return;
      sum += kind.count * Math.log(kind.responseMs / predictedMs);
      expected += kind.count;
    });
    return expected === 0 ? { measured: measurements } : { measured: measurements, logRatio: sum / expected };
  }

  /**
   * The tier has changed: only the last `rounds` in which it was measured count. Where those say nothing, what was
   * learned before holds, at the pace that fits them best: a node that became slower for some is held slower for all.
   */
  forget(rounds: number): void {
    this.window.keepLast(rounds);
    const factor = Math.max(LEAST_PACE_FACTOR, this.paceFactor());
    this.faded.clear();
    for (let at = this.layout.curveAt; at < this.weights.length; at += 1) this.weights[at]! *= factor;
    this.keepAsPrior();
    this.refreshPaces();
  }

  /**
   * Fits what was measured. Times are products of pace and work: one step of Gauss and Newton's method from what was
   * fitted last.
   */
  fit(): void {
    const { weights, works, equations, solution } = this;
    if (this.window.items.length === 0) return;
    equations.assign(this.faded);
    for (const round of this.window.items) this.addRound(equations, round);
    equations.solve(this.ridge, this.prior, solution);
    weights.set(solution.subarray(0, weights.length));
    works.moveTo(solution.subarray(weights.length));
    this.refreshPaces();
  }

  /** Predicted response time of one user that `action` has served here, ms; 0 or less where nothing was measured. */
  userMs(state: SystemState, action: Uint8Array, user: number): number {
    const { layout } = this;
    const { choiceTier, choiceVariant } = this.system;
    const round = this.roundOf(state, action, new Float64Array(action.length));
    this.served.fill(round);
    const before = action.subarray(0, user).filter((choice) => choiceTier[choice] === this.tier).length;
    const variant = choiceVariant[action[user]!]!;
    const link = layout.link(state, user);
    const index = layout.shared
      ? round.kinds.findIndex((kind) => kind.link === link && kind.variant === variant)
      : before;
    return dot(this.served.rows[index]!, this.weights);
  }

  /** When a user's request arrives on the node, ms after it was sent, but for `crowdMs`. */
  fixedMs(state: SystemState, user: number, variant: number): number {
    const memoryLevel = this.layout.memoryLevel(state, user);
    const streamMs =
      memoryLevel === 0
        ? 0
        : this.weights[this.layout.streamAt + memoryLevel - 1]! * this.megabytes[variant]!;
    return this.weights[this.layout.link(state, user)]! + streamMs;
  }

  /** Response time on a node that serves nobody else. */
  aloneMs(state: SystemState, user: number, variant: number): number {
    const paceMs = this.paces[this.layout.cpuLevel(state, user)]![1]!;
    return this.fixedMs(state, user, variant) + this.works.of(variant) * paceMs;
  }

  /** By how much later each user's request arrives for each that comes by links of the same class, ms. */
  crowdMs(state: SystemState): number {
    const { shared, crowdAt } = this.layout;
    return shared ? this.weights[crowdAt + this.layout.sharedWay(state)]! / CROWD_UNIT : 0;
  }

  /** What `adopt` takes: the weights, then the logarithms of the works' factors. */
  learned(): Float64Array {
    return Float64Array.of(...this.weights, ...this.works.logs);
  }

  /** How many numbers `learned` holds for a system. */
  static learnedLength(system: System, tier: number): number {
    return new ServiceLayout(system, tier).size + new Works(system).unknowns;
  }

  /** Takes over what was learned with `users` users; a window of measurements must still come. */
  adopt(learned: Float64Array, users: number): void {
    const { layout } = this;
    const source = new ServiceLayout({ ...this.system, users }, this.tier);
    layout.originsIn(source).forEach((from, at) => (this.weights[at] = learned[from]!));
    this.works.assign(learned.subarray(source.size));
    this.keepAsPrior();
    this.refreshPaces();
  }

  /** Users of one link class with one variant are one kind on a shared tier; on devices each user is. */
  private roundOf(state: SystemState, action: Uint8Array, responseMs: Float64Array): ServedRound {
    const { layout } = this;
    const { choiceTier, choiceVariant } = this.system;
    const kinds = new Map<number, RequestKind>();
    let measurements = 0;
    for (let user = 0; user < action.length; user += 1) {
      if (choiceTier[action[user]!] !== this.tier) continue;
      measurements += 1;
      const variant = choiceVariant[action[user]!]!;
      const link = layout.link(state, user);
      const key = layout.shared ? link * this.system.variants.length + variant : user;
      const known = kinds.get(key);
      const count = (known?.count ?? 0) + 1;
      const beforeMs = known?.responseMs ?? 0;
      kinds.set(key, {
        cpuLevel: layout.cpuLevel(state, user),
        memoryLevel: layout.memoryLevel(state, user),
        link,
        variant,
        count,
        responseMs: beforeMs + (responseMs[user]! - beforeMs) / count,
      });
    }
    return { kinds: [...kinds.values()], sharedWay: layout.sharedWay(state), measurements };
  }

  private addRound(equations: NormalEquations, round: ServedRound): void {
    const { works } = this;
    const { size } = this.layout;
    this.served.fill(round);
    round.kinds.forEach(({ count, responseMs }, index) => {
      const row = this.served.rows[index]!;
      let target = responseMs;
      for (let at = 0; at < works.unknowns; at += 1) target += row[size + at]! * works.logs[at]!;
      // Noise grows with the time itself: relative errors count.
      equations.add(row, target, Math.sqrt(count) / responseMs);
    });
  }

  private isSure(row: Float64Array, predictedMs: number): boolean {
    return NOISE * Math.sqrt(this.equations.variance(row)) < SURE * predictedMs;
  }

  private keepAsPrior(): void {
    this.prior.set(this.weights);
    this.prior.set(this.works.logs, this.layout.size);
    this.prior.forEach((held, at) => {
      if (held !== 0) this.familiarity.credit(at, FAMILIAR_ROUNDS);
    });
    this.weights.forEach((weight, at) => {
      this.ridge[at] = weight === 0 ? RIDGE : Math.max(RIDGE, (NOISE / CHANGED_BY / weight) ** 2);
    });
  }

  private refreshPaces(): void {
    this.paces.forEach((paces, level) => {
      const at = this.layout.curveOf(level);
      for (let running = 1; running < paces.length; running += 1) {
        const { lower, upper, share } = this.layout.place(running);
        const ms = this.weights[at + lower]! * (1 - share) + this.weights[at + upper]! * share;
        paces[running] = Math.max(0, ms);
      }
    });
  }

  /** By how much all learned paces together must change to fit the measurements best. */
  private paceFactor(): number {
    let products = 0;
    let squares = 0;
    for (const round of this.window.items) {
      this.served.fill(round);
      round.kinds.forEach(({ count, responseMs }, index) => {
        const row = this.served.rows[index]!;
        const serviceMs = dot(row, this.weights, this.layout.curveAt);
        const weight = count / responseMs ** 2;
        products += weight * serviceMs * (responseMs - dot(row, this.weights) + serviceMs);
        squares += weight * serviceMs * serviceMs;
      });
    }
    return squares > 0 ? products / squares : 1;
  }
}
