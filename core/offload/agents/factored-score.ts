import type { JointScore } from '../learning/joint-search';
import type { ServiceCurves } from '../learning/service-curves';
import type { System, SystemState } from '../scenario/system';

/**
 * Scores joint actions tier by tier. Of a shared tier only how many run which variant matters, so a change of one user
 * costs a walk over the variants, however many users there are.
 */
export class FactoredScore implements JointScore {
  private readonly variants: number;
  private readonly action: Uint8Array;
  /** [users, choices]: what depends on the user alone, ms. */
  private readonly fixedMs: Float64Array;
  /** [tiers, users + 1]: ms for a MMAC by how many run. */
  private readonly paceMs: Float64Array;
  /** [tiers, variants] */
  private readonly counts: Int32Array;
  /** [tiers]: what each further user adds to everybody's time, ms. */
  private readonly crowdMs: Float64Array;
  /** [tiers]: summed service times. */
  private readonly serviceMs: Float64Array;
  private readonly shared: readonly number[];
  private fixedSumMs = 0;

  constructor(
    private readonly system: System,
    private readonly curves: readonly ServiceCurves[],
  ) {
    const { users, choices } = system;
    this.variants = system.variants.length;
    this.shared = [0, 1, 2].filter((tier) => system.sharedTiers[tier]!);
    this.action = new Uint8Array(users);
    this.fixedMs = new Float64Array(users * choices);
    this.paceMs = new Float64Array(3 * (users + 1));
    this.counts = new Int32Array(3 * this.variants);
    this.serviceMs = new Float64Array(3);
    this.crowdMs = new Float64Array(3);
  }

  begin(state: SystemState, action: Uint8Array): number {
    const { users, choiceTier, choiceVariant } = this.system;
    this.action.set(action);
    this.prepare(state);
    this.counts.fill(0);
    this.fixedSumMs = 0;
    for (let user = 0; user < users; user += 1) {
      const choice = action[user]!;
      this.fixedSumMs += this.fixedMs[user * this.system.choices + choice]!;
      this.counts[choiceTier[choice]! * this.variants + choiceVariant[choice]!]! += 1;
    }
    let serviceMs = 0;
    for (const tier of this.shared) serviceMs += this.serviceMs[tier] = this.service(tier);
    return (this.fixedSumMs + serviceMs) / users;
  }

  probe(user: number, choice: number): number {
    const { choices, choiceTier, choiceVariant, users } = this.system;
    const own = this.action[user]!;
    const at = user * choices;
    const fixedMs = this.fixedSumMs - this.fixedMs[at + own]! + this.fixedMs[at + choice]!;
    this.count(own, -1);
    this.count(choice, 1);
    const from = choiceTier[own]!;
    const to = choiceTier[choice]!;
    let serviceMs = 0;
    for (const tier of this.shared) {
      const changed = tier === from || tier === to;
      serviceMs += changed ? this.service(tier) : this.serviceMs[tier]!;
    }
    this.counts[to * this.variants + choiceVariant[choice]!]! -= 1;
    this.count(own, 1);
    return (fixedMs + serviceMs) / users;
  }

  apply(user: number, choice: number): void {
    const { choices, choiceTier, sharedTiers } = this.system;
    const own = this.action[user]!;
    this.fixedSumMs += this.fixedMs[user * choices + choice]! - this.fixedMs[user * choices + own]!;
    this.count(own, -1);
    this.count(choice, 1);
    this.action[user] = choice;
    for (const tier of [choiceTier[own]!, choiceTier[choice]!]) {
      if (sharedTiers[tier]!) this.serviceMs[tier] = this.service(tier);
    }
  }

  private count(choice: number, change: number): void {
    this.counts[this.system.choiceTier[choice]! * this.variants + this.system.choiceVariant[choice]!]! +=
      change;
  }

  /** Summed service time of a shared tier: each phase takes its work at the pace of its crowd, for all of the crowd. */
  private service(tier: number): number {
    const { order, work } = this.curves[tier]!;
    const countsAt = tier * this.variants;
    const paceAt = tier * (this.system.users + 1);
    let running = 0;
    let ms = 0;
    for (let position = order.length - 1; position >= 0; position -= 1) {
      const variant = order[position]!;
      running += this.counts[countsAt + variant]!;
      if (running === 0) continue;
      const below = position === 0 ? 0 : work[order[position - 1]!]!;
      ms += (work[variant]! - below) * running * this.paceMs[paceAt + running]!;
    }
    return ms + running * running * this.crowdMs[tier]!;
  }

  private prepare(state: SystemState): void {
    const { users, choices, choiceTier, choiceVariant, sharedTiers } = this.system;
    for (const tier of this.shared) {
      const curves = this.curves[tier]!;
      const cpuLevel = curves.cpuLevel(state, 0);
      this.crowdMs[tier] = curves.crowdMs(state);
      for (let running = 1; running <= users; running += 1) {
        this.paceMs[tier * (users + 1) + running] = curves.paceMs(cpuLevel, running);
      }
    }
    for (let user = 0; user < users; user += 1) {
      for (let choice = 0; choice < choices; choice += 1) {
        const tier = choiceTier[choice]!;
        const curves = this.curves[tier]!;
        const variant = choiceVariant[choice]!;
        const localMs = sharedTiers[tier]!
          ? 0
          : curves.work[variant]! * curves.paceMs(curves.cpuLevel(state, user), 1);
        this.fixedMs[user * choices + choice] = curves.fixedMs(state, user, variant) + localMs;
      }
    }
  }
}
