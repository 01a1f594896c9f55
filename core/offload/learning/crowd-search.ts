import { ACCURACY_TOLERANCE_PCT, STATE_LINK, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import { isAllowed, mostAccurateAction } from './constraints';
import type { Constraints } from './constraints';
import type { ServiceCurves } from './service-curves';
import { SharedLoads } from './shared-loads';
import { UserGroups } from './user-groups';

const MAX_SWEEPS = 12;
const PRICE_STEPS = 12;
const FIRST_PRICE_MS = 0.125;
const IMPROVEMENT_MS = 1e-4;

/**
 * What `JointSearch` does, for many users and service curves: users nothing can tell apart are one group, so an action
 * is how many of each group make each choice, and many change at once. What leaving or joining a tier costs is kept
 * until the tier changes. Buffers are reused; one search at a time.
 */
export class CrowdSearch {
  private readonly groups: UserGroups;
  private readonly loads: SharedLoads;
  /** [groups, choices]: how many make it, whether they may, and ms on a tier of their own. */
  private readonly counts: Int32Array;
  private readonly best: Int32Array;
  private readonly ownMs: Float64Array;
  private readonly mayChoose: Uint8Array;
  private readonly link: Uint8Array;
  private readonly start: Uint8Array;
  /** [tiers]: summed response times. */
  private readonly tierMs = new Float64Array(3);
  /** [links, choices, choices + 1]: change of a shared tier's sum when one leaves it, joins it, or changes within. */
  private readonly keptMs: Float64Array;
  private sumPct = 0;
  private needPct = 0;
  private bestMs = Infinity;

  constructor(
    private readonly system: System,
    private readonly curves: readonly ServiceCurves[],
  ) {
    const { users, choices } = system;
    this.groups = new UserGroups(system);
    this.loads = new SharedLoads(system, curves);
    this.counts = new Int32Array(users * choices);
    this.best = new Int32Array(users * choices);
    this.ownMs = new Float64Array(users * choices);
    this.mayChoose = new Uint8Array(users * choices);
    this.link = new Uint8Array(users);
    this.start = new Uint8Array(users);
    this.keptMs = new Float64Array(2 * (choices + 1) * (choices + 1));
  }

  /**
   * @param out [users], filled with an action that meets the threshold where anything allowed does.
   * @throws SluiceError `conflict` when a user is allowed nothing.
   */
  search(state: SystemState, constraints: Constraints, out: Uint8Array): void {
    const { users } = this.system;
    const reachPct = mostAccurateAction(this.system, constraints, this.start);
    this.needPct = (Math.min(constraints.thresholdPct, reachPct) - ACCURACY_TOLERANCE_PCT) * users;
    this.prepare(state, constraints);
    this.bestMs = Infinity;
    this.keepIfBetter();
    const price = this.descendPriced();
    this.load(this.best);
    // All equal users at once are too many for the threshold, none too few: as many as it bears.
    this.descend(price, true);
    this.descend(0, true);
    this.keepIfBetter();
    this.assign(out);
  }

  private prepare(state: SystemState, constraints: Constraints): void {
    const { choices, choiceTier, choiceVariant, sharedTiers } = this.system;
    const { groups, loads } = this;
    groups.gather(state, constraints);
    loads.begin(state);
    this.best.fill(0);
    for (let group = 0; group < groups.count; group += 1) {
      const user = groups.first[group]!;
      const link = state[nodeOffset(user) + STATE_LINK]!;
      this.link[group] = link;
      for (let choice = 0; choice < choices; choice += 1) {
        const at = group * choices + choice;
        const tier = choiceTier[choice]!;
        const variant = choiceVariant[choice]!;
        const curves = this.curves[tier]!;
        this.mayChoose[at] = isAllowed(this.system, constraints, user, choice) ? 1 : 0;
        if (sharedTiers[tier]!) loads.setArrival(tier, link, variant, curves.fixedMs(state, user, variant));
        else this.ownMs[at] = curves.aloneMs(state, user, variant);
      }
      this.best[group * choices + this.start[user]!] = groups.sizes[group]!;
    }
    this.counts.fill(0);
    this.sumPct = 0;
    this.load(this.best);
  }

  /** Goes over to other counts. */
  private load(counts: Int32Array): void {
    const { choices, choiceAccuracyPct } = this.system;
    for (let group = 0; group < this.groups.count; group += 1) {
      for (let choice = 0; choice < choices; choice += 1) {
        const change = counts[group * choices + choice]! - this.counts[group * choices + choice]!;
        if (change === 0) continue;
        this.counts[group * choices + choice]! += change;
        this.addLoad(group, choice, change);
        this.sumPct += change * choiceAccuracyPct[choice]!;
      }
    }
    for (const tier of this.loads.tiers) this.tierMs[tier] = this.loads.sumMs(tier);
    this.keptMs.fill(Number.NaN);
  }

  private keepIfBetter(): void {
    if (this.sumPct < this.needPct) return;
    let ms = 0;
    for (const tier of this.loads.tiers) ms += this.tierMs[tier]!;
    const used = this.groups.count * this.system.choices;
    for (let at = 0; at < used; at += 1) {
      if (this.counts[at]! > 0) ms += this.counts[at]! * this.ownMs[at]!;
    }
    if (ms >= this.bestMs) return;
    this.bestMs = ms;
    this.best.set(this.counts);
  }

  /** Bisects the price of a lost percentage point. @returns the highest price known to be too low. */
  private descendPriced(): number {
    let low = 0;
    let high = Infinity;
    let price = 0;
    for (let step = 0; step < PRICE_STEPS; step += 1) {
      this.descend(price, false);
      this.keepIfBetter();
      if (this.sumPct >= this.needPct) {
        if (price === 0) return 0;
        high = price;
      } else {
        low = price;
      }
      price =
        high === Infinity ? Math.max(FIRST_PRICE_MS, low * 4) : Math.sqrt(Math.max(low, high / 16) * high);
    }
    return low;
  }

  /** Moves of users of one group from one choice to another until none helps. */
  private descend(price: number, bounded: boolean): void {
    const { choices } = this.system;
    for (let sweep = 0; sweep < MAX_SWEEPS; sweep += 1) {
      let changed = false;
      for (let group = 0; group < this.groups.count; group += 1) {
        for (let from = 0; from < choices; from += 1) {
          if (this.counts[group * choices + from] === 0) continue;
          const to = this.bestMove(group, from, price, bounded);
          if (to < 0) continue;
          this.moveMany(group, from, to, price, bounded);
          changed = true;
        }
      }
      if (!changed) return;
    }
  }

  /** @returns the best other choice of one of those users; -1 when none is better. */
  private bestMove(group: number, from: number, price: number, bounded: boolean): number {
    const { choices, choiceAccuracyPct } = this.system;
    const slackPct = this.sumPct - this.needPct;
    let best = -1;
    let bestMs = -IMPROVEMENT_MS;
    for (let to = 0; to < choices; to += 1) {
      if (to === from || this.mayChoose[group * choices + to] === 0) continue;
      const lostPct = choiceAccuracyPct[from]! - choiceAccuracyPct[to]!;
      if (bounded && lostPct > slackPct) continue;
      const ms = this.changeMs(group, from, to) + price * lostPct;
      if (ms >= bestMs) continue;
      best = to;
      bestMs = ms;
    }
    return best;
  }

  /** What one user's move changes of the summed response times. */
  private changeMs(group: number, from: number, to: number): number {
    const { choices, choiceTier } = this.system;
    const nowhere = choices;
    if (choiceTier[from] === choiceTier[to]) return this.kept(group, from, to);
    return this.kept(group, from, nowhere) + this.kept(group, nowhere, to);
  }

  /** @param from, to of one tier, or `choices` for joining and leaving it. */
  private kept(group: number, from: number, to: number): number {
    const { choices, choiceTier, sharedTiers } = this.system;
    const tier = choiceTier[from < choices ? from : to]!;
    if (!sharedTiers[tier]!) {
      const leftMs = from < choices ? this.ownMs[group * choices + from]! : 0;
      return (to < choices ? this.ownMs[group * choices + to]! : 0) - leftMs;
    }
    const at = (this.link[group]! * (choices + 1) + from) * (choices + 1) + to;
    const known = this.keptMs[at]!;
    if (!Number.isNaN(known)) return known;
    this.addLoad(group, from, -1);
    this.addLoad(group, to, 1);
    const ms = this.loads.sumMs(tier) - this.tierMs[tier]!;
    this.addLoad(group, to, -1);
    this.addLoad(group, from, 1);
    this.keptMs[at] = ms;
    return ms;
  }

  /** Doubles the number of users who move while that helps. */
  private moveMany(group: number, from: number, to: number, price: number, bounded: boolean): void {
    const { choices, choiceAccuracyPct } = this.system;
    const lostPct = choiceAccuracyPct[from]! - choiceAccuracyPct[to]!;
    let most = this.counts[group * choices + from]!;
    if (bounded && lostPct > 0) most = Math.min(most, Math.floor((this.sumPct - this.needPct) / lostPct));
    let moved = 1;
    let bestMs = this.changeMs(group, from, to) + price * lostPct;
    for (let more = 2; moved < most; more *= 2) {
      const count = Math.min(most, more);
      const ms = this.manyMs(group, from, to, count) + count * price * lostPct;
      if (ms >= bestMs) break;
      bestMs = ms;
      moved = count;
    }
    this.counts[group * choices + from]! -= moved;
    this.counts[group * choices + to]! += moved;
    this.addLoad(group, from, -moved);
    this.addLoad(group, to, moved);
    this.sumPct -= moved * lostPct;
    this.refresh(from);
    this.refresh(to);
  }

  private manyMs(group: number, from: number, to: number, count: number): number {
    const { choices, choiceTier, sharedTiers } = this.system;
    this.addLoad(group, from, -count);
    this.addLoad(group, to, count);
    let ms = 0;
    for (const tier of this.loads.tiers) {
      if (tier === choiceTier[from] || tier === choiceTier[to])
        ms += this.loads.sumMs(tier) - this.tierMs[tier]!;
    }
    this.addLoad(group, to, -count);
    this.addLoad(group, from, count);
    if (!sharedTiers[choiceTier[from]!]!) ms -= count * this.ownMs[group * choices + from]!;
    if (!sharedTiers[choiceTier[to]!]!) ms += count * this.ownMs[group * choices + to]!;
    return ms;
  }

  private addLoad(group: number, choice: number, change: number): void {
    const { choices, choiceTier, choiceVariant, sharedTiers } = this.system;
    if (choice === choices || !sharedTiers[choiceTier[choice]!]!) return;
    this.loads.add(choiceTier[choice]!, this.link[group]!, choiceVariant[choice]!, change);
  }

  /** A choice's tier has changed: what was kept of it no longer holds. */
  private refresh(choice: number): void {
    const { choices, choiceTier, sharedTiers } = this.system;
    const tier = choiceTier[choice]!;
    if (!sharedTiers[tier]!) return;
    this.tierMs[tier] = this.loads.sumMs(tier);
    const side = choices + 1;
    for (let own = 0; own < choices; own += 1) {
      if (choiceTier[own] !== tier) continue;
      for (let link = 0; link < 2; link += 1) {
        const row = (link * side + own) * side;
        for (let other = 0; other < choices; other += 1) {
          if (choiceTier[other] === tier) this.keptMs[row + other] = Number.NaN;
        }
        this.keptMs[row + choices] = Number.NaN;
        this.keptMs[(link * side + choices) * side + own] = Number.NaN;
      }
    }
  }

  /** Hands the best counts out to the users. */
  private assign(out: Uint8Array): void {
    const { users, choices } = this.system;
    for (let user = 0; user < users; user += 1) {
      const at = this.groups.groupOf[user]! * choices;
      let choice = 0;
      while (this.best[at + choice] === 0) choice += 1;
      this.best[at + choice]! -= 1;
      out[user] = choice;
    }
  }
}
