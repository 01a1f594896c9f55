import { LINK_CLASSES } from '../scenario/schema';
import type { JointScore } from '../learning/joint-search';
import type { ServiceCurves } from '../learning/service-curves';
import { SharedService } from '../learning/shared-service';
import { STATE_LINK, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';

const LINKS = LINK_CLASSES.length;

/**
 * Scores joint actions tier by tier. Of a shared tier only how many run which variant by links of which class matters,
 * so a change of one user costs a run of those kinds, however many users there are.
 */
export class FactoredScore implements JointScore {
  private readonly variants: number;
  private readonly action: Uint8Array;
  private readonly shared: readonly number[];
  /** [users]: access link class. */
  private readonly link: Uint8Array;
  /** [users, choices]: ms on a tier of the user's own. */
  private readonly ownMs: Float64Array;
  /** [tiers, links, variants]: when such a request arrives, and how many there are. */
  private readonly arrivalMs: Float64Array;
  private readonly counts: Int32Array;
  /** [tiers, links]: how many come by such links. */
  private readonly linkCounts: Int32Array;
  /** [tiers]: by how much later each arrives for each that comes by links of the same class, ms. */
  private readonly crowdMs: Float64Array;
  private readonly paces: Float64Array[] = [];
  /** [tiers]: summed response times. */
  private readonly tierMs: Float64Array;
  private readonly service: SharedService;
  private ownSumMs = 0;

  constructor(
    private readonly system: System,
    private readonly curves: readonly ServiceCurves[],
  ) {
    const { users, choices } = system;
    this.variants = system.variants.length;
    const kinds = LINKS * this.variants;
    this.shared = [0, 1, 2].filter((tier) => system.sharedTiers[tier]!);
    this.action = new Uint8Array(users);
    this.link = new Uint8Array(users);
    this.ownMs = new Float64Array(users * choices);
    this.arrivalMs = new Float64Array(3 * kinds);
    this.counts = new Int32Array(3 * kinds);
    this.linkCounts = new Int32Array(3 * LINKS);
    this.crowdMs = new Float64Array(3);
    this.tierMs = new Float64Array(3);
    this.service = new SharedService(kinds);
  }

  begin(state: SystemState, action: Uint8Array): number {
    const { users, choices } = this.system;
    this.action.set(action);
    this.prepare(state);
    this.counts.fill(0);
    this.linkCounts.fill(0);
    this.ownSumMs = 0;
    for (let user = 0; user < users; user += 1) {
      this.ownSumMs += this.ownMs[user * choices + action[user]!]!;
      this.count(user, action[user]!, 1);
    }
    let sumMs = this.ownSumMs;
    for (const tier of this.shared) sumMs += this.tierMs[tier] = this.serve(tier);
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
    for (const tier of this.shared) {
      sumMs += tier === from || tier === to ? this.serve(tier) : this.tierMs[tier]!;
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
      if (sharedTiers[tier]!) this.tierMs[tier] = this.serve(tier);
    }
  }

  private count(user: number, choice: number, change: number): void {
    const byLink = this.system.choiceTier[choice]! * LINKS + this.link[user]!;
    this.linkCounts[byLink]! += change;
    this.counts[byLink * this.variants + this.system.choiceVariant[choice]!]! += change;
  }

  /** Summed response times of a shared tier. */
  private serve(tier: number): number {
    const { service, variants } = this;
    const works = this.curves[tier]!.works.values;
    service.kinds = 0;
    for (let link = 0; link < LINKS; link += 1) {
      const byLink = tier * LINKS + link;
      const alike = this.linkCounts[byLink]!;
      if (alike === 0) continue;
      for (let variant = 0; variant < variants; variant += 1) {
        const at = byLink * variants + variant;
        if (this.counts[at] === 0) continue;
        service.arrivalMs[service.kinds] = this.arrivalMs[at]! + alike * this.crowdMs[tier]!;
        service.work[service.kinds] = works[variant]!;
        service.count[service.kinds] = this.counts[at]!;
        service.kinds += 1;
      }
    }
    return service.kinds === 0 ? 0 : service.run(this.paces[tier]!);
  }

  private prepare(state: SystemState): void {
    const { users, choices, choiceTier, choiceVariant, sharedTiers } = this.system;
    for (const tier of this.shared) {
      const curves = this.curves[tier]!;
      this.crowdMs[tier] = curves.crowdMs(state);
      this.paces[tier] = curves.paces[curves.layout.cpuLevel(state, 0)]!;
    }
    for (let user = 0; user < users; user += 1) {
      const link = state[nodeOffset(user) + STATE_LINK]!;
      this.link[user] = link;
      for (let choice = 0; choice < choices; choice += 1) {
        const tier = choiceTier[choice]!;
        const curves = this.curves[tier]!;
        const variant = choiceVariant[choice]!;
        const fixedMs = curves.fixedMs(state, user, variant);
        if (sharedTiers[tier]!) {
          this.arrivalMs[(tier * LINKS + link) * this.variants + variant] = fixedMs;
        } else {
          const paceMs = curves.paces[curves.layout.cpuLevel(state, user)]![1]!;
          this.ownMs[user * choices + choice] = fixedMs + curves.works.of(variant) * paceMs;
        }
      }
    }
  }
}
