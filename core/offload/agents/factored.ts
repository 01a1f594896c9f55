import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import type { Constraints } from '../learning/constraints';
import { exploresAt, randomAction } from '../learning/exploration';
import type { EpsilonSchedule } from '../learning/exploration';
import { JointSearch } from '../learning/joint-search';
import { ServiceCurves } from '../learning/service-curves';
import type { System, SystemState } from '../scenario/system';
import type { Agent, AgentMemory } from './agent';
import { FactoredScore } from './factored-score';

export interface FactoredOptions {
  readonly epsilon: EpsilonSchedule;
  /** Measurements kept of each tier: what is older is forgotten. At least this many, and this many for each user. */
  readonly window: { readonly least: number; readonly perUser: number };
  /** Every step is fitted up to this one, then every `fitEvery`-th. */
  readonly eagerSteps: number;
  readonly fitEvery: number;
  /**
   * A round whose mean response time is further from the prediction than this, in percent, tells that something
   * changed: then every step is fitted again for `eagerSteps`.
   */
  readonly surprisePct: number;
  /** How often a fit also looks for the int8 ratio. */
  readonly ratioEvery: number;
}

/**
 * Learns each tier's response times by itself, from what each user measured, and searches the joint action on what it
 * learned. Experience of one user counts for all, so it needs few real steps; a decision costs time linear in users.
 */
export class FactoredAgent implements Agent {
  readonly id = 'factored';
  private readonly curves: readonly ServiceCurves[];
  private readonly score: FactoredScore;
  private readonly search: JointSearch;
  private readonly counts: readonly Uint16Array[];
  private steps = 0;
  private fits = 0;
  private eagerUntil: number;

  constructor(
    readonly system: System,
    private readonly options: FactoredOptions,
    private readonly random: Random,
  ) {
    this.eagerUntil = options.eagerSteps;
    const window = Math.max(options.window.least, options.window.perUser * system.users);
    this.curves = [0, 1, 2].map((tier) => new ServiceCurves(system, tier, window));
    this.score = new FactoredScore(system, this.curves);
    this.search = new JointSearch(system);
    this.counts = this.curves.map(() => new Uint16Array(system.variants.length));
  }

  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void {
    this.search.search(this.score, state, constraints, action);
  }

  explore(state: SystemState, constraints: Constraints, action: Uint8Array): boolean {
    const isRandom = exploresAt(this.options.epsilon, this.steps, this.random);
    if (isRandom) randomAction(this.system, constraints, this.random, action);
    else this.decide(state, constraints, action);
    return isRandom;
  }

  learn(state: SystemState, action: Uint8Array, outcome: Outcome): void {
    const { choiceTier, choiceVariant } = this.system;
    if (this.isSurprised(state, action, outcome)) this.eagerUntil = this.steps + this.options.eagerSteps;
    this.countVariants(action);
    action.forEach((choice, user) => {
      const tier = choiceTier[choice]!;
      const ms = outcome.responseMs[user]!;
      this.curves[tier]!.observe(state, user, choiceVariant[choice]!, this.counts[tier]!, ms);
    });
    this.steps += 1;
    const { fitEvery, ratioEvery } = this.options;
    if (this.steps > this.eagerUntil && this.steps % fitEvery !== 0) return;
    const searchRatio = this.fits % ratioEvery === 0;
    this.fits += 1;
    for (const curves of this.curves) curves.fit(searchRatio);
  }

  predictMs(state: SystemState, action: Uint8Array): number | undefined {
    return this.steps === 0 ? undefined : this.score.begin(state, action);
  }

  memory(): AgentMemory {
    return {
      numbers: { steps: this.steps },
      arrays: {
        ratios: Float64Array.from(this.curves, ({ ratio }) => ratio),
        ...Object.fromEntries(this.curves.map(({ weights }, tier) => [`curves${tier}`, weights.slice()])),
      },
    };
  }

  /** Curves of more users are cut to this many, those of fewer go on at the pace of the last known crowd. */
  restore({ numbers, arrays }: AgentMemory, users: number): void {
    this.curves.forEach((curves, tier) => {
      const weights = arrays[`curves${tier}`];
      const ratio = arrays['ratios']?.[tier];
      const expected = new ServiceCurves({ ...this.system, users }, tier, 1).weights.length;
      if (weights?.length !== expected || ratio === undefined) {
        throw new SluiceError(
          'bad-input',
          `factored: expected ${expected} weights of tier ${tier} for ${users} users, found ${weights?.length ?? 0}.`,
        );
      }
      curves.adopt(weights, ratio, users);
    });
    this.steps = numbers['steps'] ?? 0;
  }

  private isSurprised(state: SystemState, action: Uint8Array, { meanResponseMs }: Outcome): boolean {
    const errorMs = Math.abs(this.score.begin(state, action) - meanResponseMs);
    return errorMs > (this.options.surprisePct / 100) * meanResponseMs;
  }

  private countVariants(action: Uint8Array): void {
    const { choiceTier, choiceVariant, sharedTiers } = this.system;
    for (const counts of this.counts) counts.fill(0);
    for (const choice of action) {
      const tier = choiceTier[choice]!;
      if (sharedTiers[tier]!) this.counts[tier]![choiceVariant[choice]!]! += 1;
    }
  }
}
