import { ACCURACY_TOLERANCE_PCT } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import { isAllowed, mostAccurateAction } from './constraints';
import type { Constraints } from './constraints';
import { UserGroups } from './user-groups';

/**
 * Predicts the mean response time of a joint action and of its neighbours, cheaply. Users of equal state (see
 * `UserGroups`) may change places without changing it.
 */
export interface JointScore {
  /** Sets what the next calls start from. @returns its predicted mean, ms. */
  begin(state: SystemState, action: Uint8Array): number;
  /** The predicted mean were one user's choice changed; nothing changes. */
  probe(user: number, choice: number): number;
  /** Changes one user's choice. */
  apply(user: number, choice: number): void;
}

/** Pairs of users are tried up to this many users; beyond it a single user hardly weighs in the mean accuracy. */
export const PAIR_USERS = 8;
const MAX_SWEEPS = 8;
const PRICE_STEPS = 12;
/** Moves of several users tried in one search: some states offer so many that time would run out. */
const MOST_TRIES = 8;
const FIRST_PRICE_MS = 0.125;
const IMPROVEMENT_MS = 1e-6;
/** Prices this near each other are told apart by nobody. */
const NEAR_PRICES = 1.25;

/**
 * Finds a joint action of low predicted mean response time that meets the threshold: descent over single users with a
 * price on lost accuracy, the price found by bisection; then descent without price within the threshold; then, for few
 * users, moves of several users at once, where one gives up accuracy and others make up for it.
 * Cost grows linearly with users beyond `PAIR_USERS`. Buffers are reused; one search at a time.
 */
export class JointSearch {
  private readonly action: Uint8Array;
  private readonly start: Uint8Array;
  private readonly best: Uint8Array;
  private readonly before: Uint8Array;
  private readonly groups: UserGroups;
  /** [users, choices]: predicted means were a user's choice changed, as far as the user's stamp is current. */
  private readonly probedMs: Float64Array;
  private readonly stamps: Int32Array;
  /** Counts actions. */
  private version = 0;
  /** [users]: the first user of equal state and choice, in the version. */
  private readonly alike: Int32Array;
  private readonly firstOf: Int32Array;
  private alikeVersion = -1;
  private bestMs = 0;
  private costMs = 0;
  private sumPct = 0;
  private needPct = 0;

  /** @param startsOnEachTier also searches from everybody on each tier, and from users spread over them. */
  constructor(
    private readonly system: System,
    private readonly startsOnEachTier = false,
  ) {
    this.action = new Uint8Array(system.users);
    this.start = new Uint8Array(system.users);
    this.best = new Uint8Array(system.users);
    this.before = new Uint8Array(system.users);
    this.groups = new UserGroups(system);
    this.probedMs = new Float64Array(system.users * system.choices);
    this.stamps = new Int32Array(system.users);
    this.alike = new Int32Array(system.users);
    this.firstOf = new Int32Array(system.users * system.choices);
  }

  /**
   * @param out [users], filled.
   * @returns the predicted mean, ms.
   * @throws SluiceError `conflict` when a user is allowed nothing.
   */
  search(score: JointScore, state: SystemState, constraints: Constraints, out: Uint8Array): number {
    const { users } = this.system;
    // Pins may leave the threshold out of reach; then nothing but what is most accurate remains.
    const reachPct = mostAccurateAction(this.system, constraints, this.start);
    this.needPct = (Math.min(constraints.thresholdPct, reachPct) - ACCURACY_TOLERANCE_PCT) * users;
    this.groups.gather(state, constraints);
    this.bestMs = Infinity;
    this.load(score, state, this.start);
    const price = this.descendPriced(score, constraints);
    if (this.bestMs < Infinity) {
      // Equal users change at the same price: all of them is too many, none too few. One by one finds how many.
      this.load(score, state, this.best);
      this.descend(score, constraints, price, true);
      this.descend(score, constraints, 0, true);
      this.keepIfBetter();
    }
    if (this.startsOnEachTier && users > 1 && users <= PAIR_USERS)
      this.startElsewhere(score, state, constraints);
    this.load(score, state, this.bestMs < Infinity ? this.best : this.start);
    this.descend(score, constraints, 0, true);
    if (users > 1 && users <= PAIR_USERS) this.movePairs(score, constraints);
    this.keepIfBetter();
    out.set(this.best);
    return this.bestMs;
  }

  /** No user alone gains by leaving a tier whose time for two looks longer than for three, as little knowledge may. */
  private startElsewhere(score: JointScore, state: SystemState, constraints: Constraints): void {
    const tiers = this.system.sharedTiers.length;
    for (let from = 0; from <= tiers; from += 1) {
      this.start.forEach((own, user) => {
        this.action[user] =
          this.mostAccurateOn(from === tiers ? user % tiers : from, constraints, user) ?? own;
      });
      this.load(score, state, this.action);
      this.descend(score, constraints, 0, true);
      this.keepIfBetter();
    }
  }

  private mostAccurateOn(tier: number, constraints: Constraints, user: number): number | undefined {
    const { choices, choiceTier, choiceAccuracyPct } = this.system;
    let best: number | undefined;
    for (let choice = 0; choice < choices; choice += 1) {
      if (choiceTier[choice] !== tier || !isAllowed(this.system, constraints, user, choice)) continue;
      if (best === undefined || choiceAccuracyPct[choice]! > choiceAccuracyPct[best]!) best = choice;
    }
    return best;
  }

  private load(score: JointScore, state: SystemState, action: Uint8Array): void {
    this.action.set(action);
    this.costMs = score.begin(state, this.action);
    this.version += 1;
    this.sumPct = 0;
    for (const choice of action) this.sumPct += this.system.choiceAccuracyPct[choice]!;
  }

  private keepIfBetter(): void {
    if (this.sumPct < this.needPct || this.costMs >= this.bestMs) return;
    this.bestMs = this.costMs;
    this.best.set(this.action);
  }

  /** Bisects the price of a lost percentage point. @returns the highest price known to be too low. */
  private descendPriced(score: JointScore, constraints: Constraints): number {
    let low = 0;
    let high = Infinity;
    let price = 0;
    for (let step = 0; step < PRICE_STEPS; step += 1) {
      this.descend(score, constraints, price, false);
      this.keepIfBetter();
      if (this.sumPct >= this.needPct) {
        if (price === 0) return 0;
        high = price;
      } else {
        low = price;
      }
      if (high < low * NEAR_PRICES) break;
      price =
        high === Infinity ? Math.max(FIRST_PRICE_MS, low * 4) : Math.sqrt(Math.max(low, high / 16) * high);
    }
    return low;
  }

  /**
   * Single changes until none helps.
   * @param price ms of one user's response time for a lost percentage point of that user.
   * @param bounded keeps to the threshold.
   */
  private descend(score: JointScore, constraints: Constraints, price: number, bounded: boolean): void {
    const { users } = this.system;
    for (let sweep = 0; sweep < MAX_SWEEPS; sweep += 1) {
      let changed = false;
      for (let user = 0; user < users; user += 1) {
        const choice = this.betterChoice(score, constraints, user, price / users, bounded);
        if (choice < 0) continue;
        this.change(score, user, choice);
        changed = true;
      }
      if (!changed) return;
    }
  }

  /** @returns the best other choice of a user; -1 when none is better. */
  private betterChoice(
    score: JointScore,
    constraints: Constraints,
    user: number,
    pricePerPct: number,
    bounded: boolean,
  ): number {
    const { choices, choiceAccuracyPct } = this.system;
    const own = this.action[user]!;
    const ownPct = choiceAccuracyPct[own]!;
    const at = this.probeAll(score, constraints, user);
    let best = -1;
    let bestMs = this.costMs - IMPROVEMENT_MS;
    for (let choice = 0; choice < choices; choice += 1) {
      if (choice === own) continue;
      const lostPct = ownPct - choiceAccuracyPct[choice]!;
      if (bounded && this.sumPct - lostPct < this.needPct) continue;
      const costMs = this.probedMs[at + choice]! + pricePerPct * lostPct;
      if (costMs >= bestMs) continue;
      best = choice;
      bestMs = costMs;
    }
    return best;
  }

  private change(score: JointScore, user: number, choice: number): void {
    const { choiceAccuracyPct } = this.system;
    this.costMs = score.probe(user, choice);
    this.version += 1;
    this.sumPct += choiceAccuracyPct[choice]! - choiceAccuracyPct[this.action[user]!]!;
    score.apply(user, choice);
    this.action[user] = choice;
  }

  /** A user takes a faster choice the threshold forbids, and others' best answers restore it. */
  private movePairs(score: JointScore, constraints: Constraints): void {
    const { users, choices } = this.system;
    let tries = 0;
    for (let first = 0; first < users; first += 1) {
      for (let choice = 0; choice < choices; choice += 1) {
        const at = this.probeAll(score, constraints, first);
        if (!this.isWorthAPair(at, first, choice)) continue;
        if (
          this.probedMs[at + choice]! + this.aboutToRestore(score, constraints, first, choice) >=
          this.costMs
        )
          continue;
        if (tries === MOST_TRIES) return;
        tries += 1;
        const beforeMs = this.costMs;
        this.before.set(this.action);
        this.change(score, first, choice);
        if (this.restore(score, constraints, first, beforeMs)) {
          this.descend(score, constraints, 0, true);
        } else {
          this.goBack(score);
        }
      }
    }
  }

  /** Probes all of a user's choices, unless that is known. @returns where `probedMs` has them; Infinity is forbidden. */
  private probeAll(score: JointScore, constraints: Constraints, user: number): number {
    const { choices } = this.system;
    const first = this.firstAlike(user);
    const at = first * choices;
    if (this.stamps[first] === this.version) return at;
    this.stamps[first] = this.version;
    for (let choice = 0; choice < choices; choice += 1) {
      this.probedMs[at + choice] = isAllowed(this.system, constraints, first, choice)
        ? score.probe(first, choice)
        : Infinity;
    }
    return at;
  }

  private firstAlike(user: number): number {
    if (this.alikeVersion !== this.version) {
      const { users, choices } = this.system;
      this.firstOf.fill(-1, 0, this.groups.count * choices);
      for (let each = 0; each < users; each += 1) {
        const key = this.groups.groupOf[each]! * choices + this.action[each]!;
        if (this.firstOf[key]! < 0) this.firstOf[key] = each;
        this.alike[each] = this.firstOf[key]!;
      }
      this.alikeVersion = this.version;
    }
    return this.alike[user]!;
  }

  /** Faster, below the threshold, and no other choice is both as fast and as accurate. */
  private isWorthAPair(at: number, user: number, choice: number): boolean {
    const { choices, choiceAccuracyPct } = this.system;
    const ms = this.probedMs[at + choice]!;
    const accuracyPct = choiceAccuracyPct[choice]!;
    if (ms >= this.costMs) return false;
    if (this.sumPct + accuracyPct - choiceAccuracyPct[this.action[user]!]! >= this.needPct) return false;
    for (let other = 0; other < choices; other += 1) {
      if (other === choice || choiceAccuracyPct[other]! < accuracyPct) continue;
      if (this.probedMs[at + other]! < ms) return false;
    }
    return true;
  }

  /**
   * About what it costs others to make up for a choice: the best rate there is before it is made.
   */
  private aboutToRestore(score: JointScore, constraints: Constraints, first: number, choice: number): number {
    const { users, choices, choiceAccuracyPct } = this.system;
    const lackPct =
      this.needPct - this.sumPct + choiceAccuracyPct[this.action[first]!]! - choiceAccuracyPct[choice]!;
    let least = Infinity;
    for (let user = 0; user < users; user += 1) {
      if (user === first) continue;
      const at = this.probeAll(score, constraints, user);
      const ownPct = choiceAccuracyPct[this.action[user]!]!;
      for (let other = 0; other < choices; other += 1) {
        const gainPct = choiceAccuracyPct[other]! - ownPct;
        if (gainPct > 0) least = Math.min(least, (this.probedMs[at + other]! - this.costMs) / gainPct);
      }
    }
    return Math.max(0, least) * lackPct;
  }

  /**
   * Gives other users more accurate choices, the least cost for each percentage point first, until the threshold is met
   * again. @returns whether it is, at less than `limitMs`.
   */
  private restore(score: JointScore, constraints: Constraints, first: number, limitMs: number): boolean {
    const { users, choices, choiceAccuracyPct } = this.system;
    while (this.sumPct < this.needPct) {
      const lackPct = this.needPct - this.sumPct;
      let bestUser = -1;
      let bestChoice = -1;
      let bestRate = Infinity;
      for (let user = 0; user < users; user += 1) {
        if (user === first) continue;
        const at = this.probeAll(score, constraints, user);
        const ownPct = choiceAccuracyPct[this.action[user]!]!;
        for (let choice = 0; choice < choices; choice += 1) {
          const gainPct = choiceAccuracyPct[choice]! - ownPct;
          if (gainPct <= 0) continue;
          const rate = (this.probedMs[at + choice]! - this.costMs) / Math.min(gainPct, lackPct);
          if (rate >= bestRate) continue;
          bestUser = user;
          bestChoice = choice;
          bestRate = rate;
        }
      }
      if (bestUser < 0) return false;
      this.change(score, bestUser, bestChoice);
      if (this.costMs >= limitMs - IMPROVEMENT_MS) return false;
    }
    return true;
  }

  private goBack(score: JointScore): void {
    for (let user = 0; user < this.action.length; user += 1) {
      const own = this.before[user]!;
      if (this.action[user] !== own) this.change(score, user, own);
    }
  }
}
