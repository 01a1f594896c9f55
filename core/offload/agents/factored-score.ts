import type { JointScore } from '../learning/joint-score';
import type { ServiceCurves } from '../learning/service-curves';
import { SharedLoads } from '../learning/shared-loads';
import { STATE_LINK, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';

/**
 * Scores joint actions tier by tier: a change of one user costs a run of the kinds of requests on the tiers it leaves
 * and joins, however many users there are.
 */
export class FactoredScore implements JointScore {
  private readonly action: Uint8Array;
  /** [users]: access link class. */
  private readonly link: Uint8Array;
  /** [users, choices]: ms on a tier of the user's own. */
  private readonly ownMs: Float64Array;
  private readonly loads: SharedLoads;
  /** [tiers]: summed response times. */
  private readonly tierMs = new Float64Array(3);
  private ownSumMs = 0;

  constructor(
    private readonly system: System,
    private readonly curves: readonly ServiceCurves[],
  ) {
    const { users, choices } = system;
    this.loads = new SharedLoads(system, curves);
    this.action = new Uint8Array(users);
    this.link = new Uint8Array(users);
    this.ownMs = new Float64Array(users * choices);
  }

  begin(state: SystemState, action: Uint8Array): number {
    const { users, choices } = this.system;
    this.action.set(action);
    this.prepare(state);
    this.ownSumMs = 0;
    for (let user = 0; user < users; user += 1) {
      this.ownSumMs += this.ownMs[user * choices + action[user]!]!;
      this.count(user, action[user]!, 1);
    }
    let sumMs = this.ownSumMs;
    for (const tier of this.loads.tiers) sumMs += this.tierMs[tier] = this.loads.sumMs(tier);
    return sumMs / users;
  }

  probe(user: number, choice: number): number {
    const { choices, choiceTier, users } = this.system;
    const own = this.action[user]!;
    const at = user * choices;
    this.count(user, own, -1);
    this.count(user, choice, 1);
    const from = choiceTier[own]!;
    const to = choiceTier[choice]!;
    let sumMs = this.ownSumMs - this.ownMs[at + own]! + this.ownMs[at + choice]!;
    for (const tier of this.loads.tiers) {
      sumMs += tier === from || tier === to ? this.loads.sumMs(tier) : this.tierMs[tier]!;
    }
    this.count(user, choice, -1);
    this.count(user, own, 1);
    return sumMs / users;
  }

  apply(user: number, choice: number): void {
    const { choices, choiceTier, sharedTiers } = this.system;
    const own = this.action[user]!;
    this.ownSumMs += this.ownMs[user * choices + choice]! - this.ownMs[user * choices + own]!;
    this.count(user, own, -1);
    this.count(user, choice, 1);
    this.action[user] = choice;
    for (const tier of [choiceTier[own]!, choiceTier[choice]!]) {
      if (sharedTiers[tier]!) this.tierMs[tier] = this.loads.sumMs(tier);
    }
  }

  private count(user: number, choice: number, change: number): void {
    const tier = this.system.choiceTier[choice]!;
    if (this.system.sharedTiers[tier]!)
      this.loads.add(tier, this.link[user]!, this.system.choiceVariant[choice]!, change);
  }

  private prepare(state: SystemState): void {
    const { users, choices, choiceTier, choiceVariant, sharedTiers } = this.system;
    this.loads.begin(state);
    for (let user = 0; user < users; user += 1) {
      const link = state[nodeOffset(user) + STATE_LINK]!;
      this.link[user] = link;
      for (let choice = 0; choice < choices; choice += 1) {
        const tier = choiceTier[choice]!;
        const curves = this.curves[tier]!;
        const variant = choiceVariant[choice]!;
        if (sharedTiers[tier]!)
          this.loads.setArrival(tier, link, variant, curves.fixedMs(state, user, variant));
        else this.ownMs[user * choices + choice] = curves.aloneMs(state, user, variant);
      }
    }
  }
}
