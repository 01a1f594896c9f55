import { CrowdFeatures } from '../learning/crowd-features';
import type { JointScore } from '../learning/joint-score';
import type { RecursiveLeastSquares } from '../learning/least-squares';
import type { System, SystemState } from '../scenario/system';

/**
 * Scores joint actions by a linear model for each tier: the mean over users of prediction less `alpha` deviations. A
 * change of one user costs another look at those on the tiers it leaves and joins.
 */
export class LinearScore implements JointScore {
  /** Deviations below the prediction. */
  alpha = 0;
  readonly features: readonly CrowdFeatures[];
  private readonly action: Uint8Array;
  /** [tiers]: summed bounds. */
  private readonly tierSums = new Float64Array(3);
  private state: SystemState = new Uint8Array(0);

  /** @param scaleMs what the models' 1 stands for. */
  constructor(
    private readonly system: System,
    private readonly models: readonly RecursiveLeastSquares[],
    private readonly scaleMs: number,
  ) {
    this.features = [0, 1, 2].map((tier) => new CrowdFeatures(system, tier));
    this.action = new Uint8Array(system.users);
  }

  begin(state: SystemState, action: Uint8Array): number {
    this.state = state.slice();
    this.action.set(action);
    for (const features of this.features) features.clear();
    for (let user = 0; user < action.length; user += 1) this.count(user, 1);
    for (let tier = 0; tier < this.models.length; tier += 1) this.tierSums[tier] = this.sumOf(tier);
    return this.meanOf(this.tierSums[0]! + this.tierSums[1]! + this.tierSums[2]!);
  }

  probe(user: number, choice: number): number {
    const own = this.action[user]!;
    this.replace(user, choice);
    const sum = this.changedSum(own, choice);
    this.replace(user, own);
    return this.meanOf(sum);
  }

  apply(user: number, choice: number): void {
    const { choiceTier } = this.system;
    const own = this.action[user]!;
    this.replace(user, choice);
    for (const tier of [choiceTier[own]!, choiceTier[choice]!]) this.tierSums[tier] = this.sumOf(tier);
  }

  private replace(user: number, choice: number): void {
    this.count(user, -1);
    this.action[user] = choice;
    this.count(user, 1);
  }

  private changedSum(own: number, choice: number): number {
    const { choiceTier } = this.system;
    let sum = 0;
    for (let tier = 0; tier < this.models.length; tier += 1) {
      const changed = tier === choiceTier[own] || tier === choiceTier[choice];
      sum += changed ? this.sumOf(tier) : this.tierSums[tier]!;
    }
    return sum;
  }

  private count(user: number, change: number): void {
    const { choiceTier, choiceVariant } = this.system;
    const choice = this.action[user]!;
    this.features[choiceTier[choice]!]!.add(this.state, user, choiceVariant[choice]!, change);
  }

  private sumOf(tier: number): number {
    const { choiceTier, choiceVariant } = this.system;
    const features = this.features[tier]!;
    const model = this.models[tier]!;
    let sum = 0;
    for (let user = 0; user < this.action.length; user += 1) {
      const choice = this.action[user]!;
      if (choiceTier[choice] !== tier) continue;
      features.fill(this.state, user, choiceVariant[choice]!);
      sum += model.predict(features);
      if (this.alpha > 0) sum -= this.alpha * Math.sqrt(Math.max(0, model.uncertainty(features)));
    }
    return sum;
  }

  private meanOf(sum: number): number {
    return (sum / this.action.length) * this.scaleMs;
  }
}
