import { ACCURACY_TOLERANCE_PCT } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import { isAllowed, mostAccurateAction } from './constraints';
import type { Constraints } from './constraints';
import { JointAction } from './joint-action';
import type { JointScore } from './joint-score';
import { PairMoves } from './pair-moves';

/** Pairs of users are tried up to this many users; beyond it a single user hardly weighs in the mean accuracy. */
export const PAIR_USERS = 8;
const PRICE_STEPS = 12;
const FIRST_PRICE_MS = 0.125;
/** Prices this near each other are told apart by nobody. */
const NEAR_PRICES = 1.25;

/**
 * Finds a joint action of low predicted mean response time that meets the threshold: descent over single users with a
 * price on lost accuracy, the price found by bisection; then descent without price within the threshold; then, for few
 * users, moves of several users at once, where one gives up accuracy and others make up for it.
 * Cost grows linearly with users beyond `PAIR_USERS`. Buffers are reused; one search at a time.
 */
export class JointSearch {
  private readonly action: JointAction;
  private readonly pairs: PairMoves;
  /** [users] each. */
  private readonly start: Uint8Array;
  private readonly elsewhere: Uint8Array;
  private readonly best: Uint8Array;
  private bestMs = 0;

  /** @param startsOnEachTier also searches from everybody on each tier, and from users spread over them. */
  constructor(
    private readonly system: System,
    private readonly startsOnEachTier = false,
  ) {
    this.action = new JointAction(system);
    this.pairs = new PairMoves(system, this.action);
    this.start = new Uint8Array(system.users);
    this.elsewhere = new Uint8Array(system.users);
    this.best = new Uint8Array(system.users);
  }

  /**
   * @param out [users], filled.
   * @returns the predicted mean, ms.
   * @throws SluiceError `conflict` when a user is allowed nothing.
   */
  search(score: JointScore, state: SystemState, constraints: Constraints, out: Uint8Array): number {
    const { users } = this.system;
    const { action } = this;
    // Pins may leave the threshold out of reach; then nothing but what is most accurate remains.
    const reachPct = mostAccurateAction(this.system, constraints, this.start);
    const needPct = (Math.min(constraints.thresholdPct, reachPct) - ACCURACY_TOLERANCE_PCT) * users;
    const triesSeveral = users > 1 && users <= PAIR_USERS;
    action.begin({ score, state, constraints, needPct });
    this.bestMs = Infinity;
    action.load(this.start);
    const price = this.descendPriced();
    if (this.bestMs < Infinity) {
      // Equal users change at the same price: all of them is too many, none too few. One by one finds how many.
      action.load(this.best);
      action.descend(price, true);
      action.descend(0, true);
      this.keepIfBetter();
    }
    if (this.startsOnEachTier && triesSeveral) this.startElsewhere(constraints);
    action.load(this.bestMs < Infinity ? this.best : this.start);
    action.descend(0, true);
    if (triesSeveral) this.pairs.run();
    this.keepIfBetter();
    out.set(this.best);
    return this.bestMs;
  }

  /** No user alone gains by leaving a tier whose time for two looks longer than for three, as little knowledge may. */
  private startElsewhere(constraints: Constraints): void {
    const tiers = this.system.sharedTiers.length;
    for (let from = 0; from <= tiers; from += 1) {
      this.start.forEach((own, user) => {
        this.elsewhere[user] =
          this.mostAccurateOn(from === tiers ? user % tiers : from, constraints, user) ?? own;
      });
      this.action.load(this.elsewhere);
      this.action.descend(0, true);
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

  private keepIfBetter(): void {
    const { action } = this;
    if (!action.meetsThreshold || action.costMs >= this.bestMs) return;
    this.bestMs = action.costMs;
    this.best.set(action.choices);
  }

  /** Bisects the price of a lost percentage point. @returns the highest price known to be too low. */
  private descendPriced(): number {
    let low = 0;
    let high = Infinity;
    let price = 0;
    for (let step = 0; step < PRICE_STEPS; step += 1) {
      this.action.descend(price, false);
      this.keepIfBetter();
      if (this.action.meetsThreshold) {
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
}
