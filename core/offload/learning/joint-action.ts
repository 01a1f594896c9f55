import type { System, SystemState } from '../scenario/system';
import { isAllowed } from './constraints';
import type { Constraints } from './constraints';
import type { JointScore } from './joint-score';
import { UserGroups } from './user-groups';

const MAX_SWEEPS = 8;
/** Less than this is no improvement, ms. */
export const IMPROVEMENT_MS = 1e-6;

/** What a search goes by, from its beginning to its end. */
export interface JointTask {
  readonly score: JointScore;
  readonly state: SystemState;
  readonly constraints: Constraints;
  /** The threshold on accuracy, summed over users, percentage points. */
  readonly needPct: number;
}

/**
 * A joint action as a search changes it, one user at a time, with what its single changes are predicted to cost. Probes
 * are kept until the action changes, and users of equal state and choice share them. Buffers are reused.
 */
export class JointAction {
  /** [users]: a choice each. Changed by `load` and `change` only. */
  readonly choices: Uint8Array;
  /** [users, choices]: predicted means were a user's choice changed, where `probeAll` says; Infinity is forbidden. */
  readonly probedMs: Float64Array;
  /** Its predicted mean response time. */
  costMs = 0;
  /** Its accuracy, summed over users, percentage points. */
  sumPct = 0;
  private task!: JointTask;
  private readonly groups: UserGroups;
  /** [users]: the version of the action in which `probedMs` has the user's. */
  private readonly stamps: Int32Array;
  /** Counts actions. */
  private version = 0;
  /** [users]: the first user of equal state and choice, in the version. */
  private readonly alike: Int32Array;
  private readonly firstOf: Int32Array;
  private alikeVersion = -1;

  constructor(private readonly system: System) {
    const { users, choices } = system;
    this.choices = new Uint8Array(users);
    this.groups = new UserGroups(system);
    this.probedMs = new Float64Array(users * choices);
    this.stamps = new Int32Array(users);
    this.alike = new Int32Array(users);
    this.firstOf = new Int32Array(users * choices);
  }

  get needPct(): number {
    return this.task.needPct;
  }

  get meetsThreshold(): boolean {
    return this.sumPct >= this.task.needPct;
  }

  /** To be followed by `load`. */
  begin(task: JointTask): void {
    this.task = task;
    this.groups.gather(task.state, task.constraints);
  }

  /** @param choices [users], copied. */
  load(choices: Uint8Array): void {
    this.choices.set(choices);
    this.costMs = this.task.score.begin(this.task.state, this.choices);
    this.version += 1;
    this.sumPct = 0;
    for (const choice of choices) this.sumPct += this.system.choiceAccuracyPct[choice]!;
  }

  change(user: number, choice: number): void {
    const { choiceAccuracyPct } = this.system;
    const { score } = this.task;
    this.costMs = score.probe(user, choice);
    this.version += 1;
    this.sumPct += choiceAccuracyPct[choice]! - choiceAccuracyPct[this.choices[user]!]!;
    score.apply(user, choice);
    this.choices[user] = choice;
  }

  /** Changes back, user by user, to what was. @param before [users]. */
  goBack(before: Uint8Array): void {
    for (let user = 0; user < before.length; user += 1) {
      const own = before[user]!;
      if (this.choices[user] !== own) this.change(user, own);
    }
  }

  /** Probes all of a user's choices, unless that is known. @returns where in `probedMs` they begin. */
  probeAll(user: number): number {
    const { choices } = this.system;
    const { score, constraints } = this.task;
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

  /**
   * Single changes until none helps.
   * @param price ms of one user's response time for a lost percentage point of that user.
   * @param bounded keeps to the threshold.
   */
  descend(price: number, bounded: boolean): void {
    const { users } = this.system;
    for (let sweep = 0; sweep < MAX_SWEEPS; sweep += 1) {
      let changed = false;
      for (let user = 0; user < users; user += 1) {
        const choice = this.betterChoice(user, price / users, bounded);
        if (choice < 0) continue;
        this.change(user, choice);
        changed = true;
      }
      if (!changed) return;
    }
  }

  /** @returns the best other choice of a user; -1 when none is better. */
  private betterChoice(user: number, pricePerPct: number, bounded: boolean): number {
    const { choices, choiceAccuracyPct } = this.system;
    const { needPct } = this.task;
    const own = this.choices[user]!;
    const ownPct = choiceAccuracyPct[own]!;
    const at = this.probeAll(user);
    let best = -1;
    let bestMs = this.costMs - IMPROVEMENT_MS;
    for (let choice = 0; choice < choices; choice += 1) {
      if (choice === own) continue;
      const lostPct = ownPct - choiceAccuracyPct[choice]!;
      if (bounded && this.sumPct - lostPct < needPct) continue;
      const costMs = this.probedMs[at + choice]! + pricePerPct * lostPct;
      if (costMs >= bestMs) continue;
      best = choice;
      bestMs = costMs;
    }
    return best;
  }

  private firstAlike(user: number): number {
    if (this.alikeVersion !== this.version) {
      const { users, choices } = this.system;
      this.firstOf.fill(-1, 0, this.groups.count * choices);
      for (let each = 0; each < users; each += 1) {
        const key = this.groups.groupOf[each]! * choices + this.choices[each]!;
        if (this.firstOf[key]! < 0) this.firstOf[key] = each;
        this.alike[each] = this.firstOf[key]!;
      }
      this.alikeVersion = this.version;
    }
    return this.alike[user]!;
  }
}
