import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import { meetsThreshold } from '../learning/constraints';
import type { Constraints } from '../learning/constraints';
import { exploresAt, randomAction } from '../learning/exploration';
import type { EpsilonSchedule } from '../learning/exploration';
import { JointSearch } from '../learning/joint-search';
import { ServiceCurves } from '../learning/service-curves';
import { TierWatch } from '../learning/tier-watch';
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
   * A round in which a tier's response times are further from the prediction than this, in percent, tells that there
   * is something to learn: then every step is fitted again for `eagerSteps`.
   */
  readonly surprisePct: number;
  /** How often a fit also looks for the int8 ratio. */
  readonly ratioEvery: number;
}

/**
 * Learns each tier's response times by itself, from what each user measured, and searches the joint action on what it
 * learned. Experience of one user counts for all, so it needs few real steps; a decision costs time linear in users.
 * A tier that is persistently slower or faster than learned has changed: its older measurements are forgotten. One that
 * decisions leave alone is measured now and then, so that its recovery is seen.
 */
export class FactoredAgent implements Agent {
  readonly id = 'factored';
  private readonly curves: readonly ServiceCurves[];
  private readonly score: FactoredScore;
  private readonly search: JointSearch;
  private readonly counts: readonly Uint16Array[];
  private readonly watches: readonly TierWatch[];
  private readonly decided: Uint8Array;
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
    this.search = new JointSearch(system, true);
    this.watches = this.curves.map(() => new TierWatch(options.surprisePct));
    this.decided = new Uint8Array(system.users);
    this.counts = this.curves.map(() => new Uint16Array(system.variants.length));
  }

  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void {
    this.search.search(this.score, state, constraints, action);
  }

  explore(state: SystemState, constraints: Constraints, action: Uint8Array): boolean {
    const isRandom = exploresAt(this.options.epsilon, this.steps, this.random);
    if (isRandom) randomAction(this.system, constraints, this.random, action);
    else this.decide(state, constraints, action);
    return isRandom || this.probe(state, constraints, action);
  }

  learn(state: SystemState, action: Uint8Array, outcome: Outcome): void {
    const { choiceTier, choiceVariant } = this.system;
    let surprised = this.isSurprised(state, action, outcome);
    this.countVariants(action);
    action.forEach((choice, user) => {
      const tier = choiceTier[choice]!;
      const ms = outcome.responseMs[user]!;
      const logRatio = this.curves[tier]!.observe(
        state,
        user,
        choiceVariant[choice]!,
        this.counts[tier]!,
        ms,
      );
      this.watches[tier]!.add(logRatio);
    });
    this.watches.forEach((watch, tier) => {
      const verdict = watch.endRound();
      this.curves[tier]!.endRound();
      surprised ||= verdict.surprised;
      if (verdict.changedSince !== undefined) this.curves[tier]!.forget(verdict.changedSince);
    });
    if (surprised) this.eagerUntil = this.steps + this.options.eagerSteps;
    this.steps += 1;
    const { fitEvery, ratioEvery } = this.options;
    if (this.steps > this.eagerUntil && this.steps % fitEvery !== 0) return;
    const searchRatio = this.fits % ratioEvery === 0;
    this.fits += 1;
    // What is suspected to have changed would be fitted to measurements of before and after at once.
    this.curves.forEach((curves, tier) => {
      if (!this.watches[tier]!.suspects) curves.fit(searchRatio);
    });
  }

  predictMs(state: SystemState, action: Uint8Array): number | undefined {
    return this.steps === 0 ? undefined : this.score.begin(state, action);
  }

  predictUserMs(state: SystemState, action: Uint8Array, user: number): number | undefined {
    if (this.steps === 0) return undefined;
    const { choiceTier, choiceVariant } = this.system;
    const tier = choiceTier[action[user]!]!;
    this.countVariants(action);
    // What was never measured may come out below nothing.
    return Math.max(
      0,
      this.curves[tier]!.predictMs(state, user, choiceVariant[action[user]!]!, this.counts[tier]!),
    );
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

  /**
   * Sends one user to a tier that should be measured again, the others as it is best then.
   * @returns whether `action` now explores.
   */
  private probe(state: SystemState, constraints: Constraints, action: Uint8Array): boolean {
    const { users, choices, choiceTier } = this.system;
    const tier = this.watches.findIndex((watch) => watch.isProbeDue);
    if (tier < 0 || action.some((choice) => choiceTier[choice] === tier)) return false;
    const user = this.steps % users;
    const allowed = constraints.allowed.slice();
    const own = allowed.subarray(user * choices, (user + 1) * choices);
    for (let choice = 0; choice < choices; choice += 1) if (choiceTier[choice] !== tier) own[choice] = 0;
    if (!own.includes(1)) return false;
    this.decided.set(action);
    this.decide(state, { thresholdPct: constraints.thresholdPct, allowed }, action);
    if (meetsThreshold(this.system, constraints, action)) return true;
    action.set(this.decided);
    return false;
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
