import type { Agent } from '../agents/agent';
import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import { meetsThreshold } from '../learning/constraints';
import type { TierName } from '../scenario/schema';
import { TIERS } from '../scenario/schema';
import { choiceName, meanAccuracyPct } from '../scenario/system';
import type { SystemState } from '../scenario/system';
import type { Candidate, Decision, DecisionReason } from './decision';
import { FailureBackoff } from './failure-backoff';

export interface DeciderOptions {
  readonly thresholdPct: number;
  /** Largest share of the last `CAP_WINDOW` decisions that may explore; 0 never explores. Default 1. */
  readonly explorationCap?: number;
  /** How long a tier that failed is left alone at first; doubles with each failure in a row. */
  readonly retryAfterMs?: number;
  /** Milliseconds; may jump. */
  readonly clockMs: () => number;
}

/** Decisions over which the share of exploring ones is counted. */
const CAP_WINDOW = 100;
const DEFAULT_RETRY_MS = 5000;

/**
 * Puts a person's wishes and the endpoints' health around an agent: pins, endpoints that failed, a cap on exploration,
 * pausing; and says why. The agent never sees what it may not choose, and never knowingly misses the threshold.
 */
export class Decider {
  private readonly pins = new Map<number, number>();
  private readonly failures: FailureBackoff<number>;
  /** [choices]: 1 where an endpoint offers the variant. */
  private offered: Uint8Array;
  private readonly recent = new Uint8Array(CAP_WINDOW);
  private allowed: Uint8Array;
  private decisions = 0;
  private explored = 0;
  private learning = true;

  constructor(
    readonly agent: Agent,
    private readonly options: DeciderOptions,
  ) {
    this.failures = new FailureBackoff(options.retryAfterMs ?? DEFAULT_RETRY_MS, options.clockMs);
    this.offered = new Uint8Array(agent.system.choices).fill(1);
    this.allowed = this.allowedNow();
  }

  /**
   * A person's choice for one user overrides the agent, also below the threshold.
   * @throws SluiceError `bad-input` for a user or choice there is not.
   */
  pin(user: number, choice: number): void {
    const { users, choices } = this.agent.system;
    if (!(user >= 0 && user < users && choice >= 0 && choice < choices)) {
      throw new SluiceError(
        'bad-input',
        `Pin: expected a user below ${users} and a choice below ${choices}, found user ${user}, choice ${choice}.`,
      );
    }
    this.pins.set(user, choice);
    this.allowed = this.allowedNow();
  }

  unpin(user: number): void {
    this.pins.delete(user);
    this.allowed = this.allowedNow();
  }

  /**
   * What endpoints that are up offer; pins hold against it. @param offered [choices], copied.
   */
  offer(offered: Uint8Array): void {
    if (Buffer.compare(offered, this.offered) === 0) return;
    this.offered = offered.slice();
    this.allowed = this.allowedNow();
  }

  /** The next decision avoids the tier, for as long as the options say. */
  endpointFailed(tier: TierName): void {
    this.failures.failed(TIERS.indexOf(tier));
    this.allowed = this.allowedNow();
  }

  endpointAnswered(tier: TierName): void {
    if (this.failures.answered(TIERS.indexOf(tier))) this.allowed = this.allowedNow();
  }

  pauseLearning(paused: boolean): void {
    this.learning = !paused;
  }

  /**
   * @returns the decision; its id is how many this decider made.
   * @throws SluiceError `conflict` when pins and dead endpoints leave a user nothing.
   */
  decide(state: SystemState): Decision {
    if (this.failures.takeBack().length > 0) this.allowed = this.allowedNow();
    const { system } = this.agent;
    const constraints = { thresholdPct: this.options.thresholdPct, allowed: this.allowed };
    const action = new Uint8Array(system.users);
    const mayExplore = this.learning && this.explored < this.capInWindow();
    let explores = false;
    if (mayExplore) explores = this.agent.explore(state, constraints, action);
    else this.agent.decide(state, constraints, action);
    this.count(explores);
    return this.decisionOf(state, action, this.reasonOf(action, explores, mayExplore));
  }

  /** What it would decide now if it only used what it knows; nothing is counted. @throws SluiceError as `decide`. */
  weigh(state: SystemState): Decision {
    const action = new Uint8Array(this.agent.system.users);
    const constraints = { thresholdPct: this.options.thresholdPct, allowed: this.allowed };
    this.agent.decide(state, constraints, action);
    return this.decisionOf(state, action, this.reasonOf(action, false, true));
  }

  /** What it came to; the agent learns unless learning is paused. */
  outcome(decision: Decision, outcome: Outcome, nextState: SystemState): void {
    if (this.learning) this.agent.learn(decision.state, decision.action, outcome, nextState);
  }

  /** Every alternative for every user with what it would mean, the fastest first. Slower than deciding. */
  explain(decision: Decision): readonly Candidate[] {
    const { system } = this.agent;
    const candidates: Candidate[] = [];
    const action = decision.action.slice();
    decision.action.forEach((own, user) => {
      for (let choice = 0; choice < system.choices; choice += 1) {
        action[user] = choice;
        candidates.push(this.candidate(decision, action, user, choice === own));
      }
      action[user] = own;
    });
    return candidates.sort(
      (a, b) => a.user - b.user || (a.predictedMeanMs ?? Infinity) - (b.predictedMeanMs ?? Infinity),
    );
  }

  private decisionOf(state: SystemState, action: Uint8Array, reason: DecisionReason): Decision {
    const predictedMeanMs = this.agent.predictMs(state, action);
    return {
      id: this.decisions,
      atMs: this.options.clockMs(),
      agent: this.agent.id,
      state: state.slice(),
      thresholdPct: this.options.thresholdPct,
      action,
      reason,
      pinnedUsers: [...this.pins.keys()].sort((a, b) => a - b),
      meanAccuracyPct: meanAccuracyPct(this.agent.system, action),
      ...(predictedMeanMs !== undefined && { predictedMeanMs }),
    };
  }

  private candidate(decision: Decision, action: Uint8Array, user: number, chosen: boolean): Candidate {
    const { system } = this.agent;
    const choice = action[user]!;
    const predictedMeanMs = this.agent.predictMs(decision.state, action);
    const predictedMs = this.agent.predictUserMs?.(decision.state, action, user);
    const barred = this.barred(decision, action, user);
    return {
      user,
      choice: choiceName(system, choice),
      choiceNumber: choice,
      ...(predictedMs !== undefined && { predictedMs }),
      ...(predictedMeanMs !== undefined && { predictedMeanMs }),
      meanAccuracyPct: meanAccuracyPct(system, action),
      chosen,
      ...(barred && !chosen && { barred }),
    };
  }

  private barred(decision: Decision, action: Uint8Array, user: number): Candidate['barred'] {
    const { system } = this.agent;
    const choice = action[user]!;
    const pin = this.pins.get(user);
    if (pin !== undefined) return pin === choice ? undefined : 'pinned';
    if (this.failures.isOut(system.choiceTier[choice]!)) return 'endpoint-down';
    if (this.offered[choice] === 0) return 'not-offered';
    const constraints = { thresholdPct: decision.thresholdPct, allowed: this.allowed };
    return meetsThreshold(system, constraints, action) ? undefined : 'below-threshold';
  }

  private reasonOf(action: Uint8Array, explores: boolean, mayExplore: boolean): DecisionReason {
    const constraints = { thresholdPct: this.options.thresholdPct, allowed: this.allowed };
    if (!meetsThreshold(this.agent.system, constraints, action)) return 'threshold-out-of-reach';
    if (explores) return 'explored';
    // Where exploring is never allowed, nothing was held back.
    const isHeldBack = this.learning && !mayExplore && this.capInWindow() > 0;
    return isHeldBack ? 'exploration-capped' : 'best-known';
  }

  private capInWindow(): number {
    return (this.options.explorationCap ?? 1) * CAP_WINDOW;
  }

  private count(explores: boolean): void {
    const at = this.decisions % CAP_WINDOW;
    this.explored += Number(explores) - this.recent[at]!;
    this.recent[at] = Number(explores);
    this.decisions += 1;
  }

  /** A new array each time it changes: agents recognise a mask by its identity. */
  private allowedNow(): Uint8Array {
    const { users, choices, choiceTier } = this.agent.system;
    const allowed = new Uint8Array(users * choices);
    for (let user = 0; user < users; user += 1) {
      const pin = this.pins.get(user);
      for (let choice = 0; choice < choices; choice += 1) {
        const isUp = this.offered[choice] === 1 && !this.failures.isOut(choiceTier[choice]!);
        allowed[user * choices + choice] = Number(pin === undefined ? isUp : pin === choice);
      }
    }
    return allowed;
  }
}
