import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import { meetsThreshold } from '../learning/constraints';
import type { Constraints } from '../learning/constraints';
import { CrowdSearch } from '../learning/crowd-search';
import { exploresAt, randomAction } from '../learning/exploration';
import type { EpsilonSchedule } from '../learning/exploration';
import { JointSearch, PAIR_USERS } from '../learning/joint-search';
import { ServiceCurves } from '../learning/service-curves';
import { TierWatch } from '../learning/tier-watch';
import { DEVICE } from '../scenario/system';
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
  private readonly crowdSearch: CrowdSearch;
  private readonly watches: readonly TierWatch[];
  private readonly decided: Uint8Array;
  private steps = 0;
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
    // Where every user has a device of its own, further starts found nothing and cost three times as much.
    this.search = new JointSearch(system, system.sharedTiers[DEVICE]);
    this.crowdSearch = new CrowdSearch(system, this.curves);
    this.watches = this.curves.map(() => new TierWatch(options.surprisePct));
    this.decided = new Uint8Array(system.users);
  }

  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void {
    if (this.system.users > PAIR_USERS) this.crowdSearch.search(state, constraints, action);
    else this.search.search(this.score, state, constraints, action);
  }

  explore(state: SystemState, constraints: Constraints, action: Uint8Array): boolean {
    const isRandom = exploresAt(this.options.epsilon, this.steps, this.random);
    if (isRandom) randomAction(this.system, constraints, this.random, action);
    else this.decide(state, constraints, action);
    return isRandom || this.probe(state, constraints, action);
  }

  learn(state: SystemState, action: Uint8Array, outcome: Outcome): void {
    let surprised = this.isSurprised(state, action, outcome);
    this.watches.forEach((watch, tier) => {
      const curves = this.curves[tier]!;
      const verdict = watch.observe(curves.observe(state, action, outcome.responseMs));
      surprised ||= verdict.surprised;
      if (verdict.changedSince !== undefined) curves.forget(verdict.changedSince);
    });
    if (surprised) this.eagerUntil = this.steps + this.options.eagerSteps;
    this.steps += 1;
    if (this.steps > this.eagerUntil && this.steps % this.options.fitEvery !== 0) return;
    // What is suspected to have changed would be fitted to measurements of before and after at once.
    this.curves.forEach((curves, tier) => {
      if (!this.watches[tier]!.suspects) curves.fit();
    });
  }

  predictMs(state: SystemState, action: Uint8Array): number | undefined {
    return this.steps === 0 ? undefined : this.score.begin(state, action);
  }

  predictUserMs(state: SystemState, action: Uint8Array, user: number): number | undefined {
    if (this.steps === 0) return undefined;
    const ms = this.curves[this.system.choiceTier[action[user]!]!]!.userMs(state, action, user);
    return ms > 0 ? ms : undefined;
  }

  memory(): AgentMemory {
    return {
      numbers: { steps: this.steps },
      arrays: Object.fromEntries(this.curves.map((curves, tier) => [`curves${tier}`, curves.learned()])),
    };
  }

  /** Curves of more users are cut to this many, those of fewer go on at the pace of the last known crowd. */
  restore({ numbers, arrays }: AgentMemory, users: number): void {
    this.curves.forEach((curves, tier) => {
      const learned = arrays[`curves${tier}`];
      const expected = ServiceCurves.learnedLength({ ...this.system, users }, tier);
      if (!(learned instanceof Float64Array) || learned.length !== expected) {
        throw new SluiceError(
          'bad-input',
          `factored: expected ${expected} numbers of tier ${tier} for ${users} users, found ${learned?.length ?? 0}.`,
        );
      }
      curves.adopt(learned, users);
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
}
