import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import { isAllowed, meetsThreshold, mostAccurateAction } from '../learning/constraints';
import type { Constraints } from '../learning/constraints';
import { exploresAt, randomAction } from '../learning/exploration';
import type { EpsilonSchedule } from '../learning/exploration';
import { stateKey, stateLength } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import type { Agent, AgentMemory } from './agent';
import { ActionValues } from './q-table';

export interface QLearningOptions {
  readonly epsilon: EpsilonSchedule;
  /** Step size is 1/visits, and never less than this. */
  readonly leastRate: number;
  /**
   * Weight of the next state's value. Background load does not depend on what is decided here, so every discount has
   * the same optimal policy, and 0 learns it fastest.
   */
  readonly discount: number;
  /** Choices it never makes; for the offload-only agent all but one variant. [choices], 1 for those it may make. */
  readonly choices?: Uint8Array;
}

/**
 * Tabular Q-learning (Watkins 1989) over joint actions: one value for each state and each combination of every user's
 * tier and variant. Exact once everything was tried, and there is much to try: choices to the power of users.
 */
export class QLearningAgent implements Agent {
  private readonly table = new Map<string, ActionValues>();
  private readonly scratch: Uint8Array;
  private readonly narrowed = new WeakMap<Uint8Array, Uint8Array>();
  /** One object for each threshold and mask, so that the table can tell whether it is asked the same as before. */
  private purpose: Constraints = { thresholdPct: Number.NaN, allowed: new Uint8Array(0) };
  private steps = 0;

  /** @throws SluiceError `unsupported` when joint actions can't be numbered. */
  constructor(
    readonly id: string,
    readonly system: System,
    private readonly options: QLearningOptions,
    private readonly random: Random,
  ) {
    if (system.choices ** system.users > Number.MAX_SAFE_INTEGER) {
      throw new SluiceError(
        'unsupported',
        `${id}: ${system.choices} choices for each of ${system.users} users are too many for a table; use factored.`,
      );
    }
    this.scratch = new Uint8Array(system.users);
  }

  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void {
    const within = this.narrow(constraints);
    const values = this.table.get(stateKey(state));
    const slot = values?.best(this.purposeOf(within), (key) => this.accepts(key, within)) ?? -1;
    if (values && slot >= 0) this.decode(values.keys[slot]!, action);
    else mostAccurateAction(this.system, within, action);
  }

  explore(state: SystemState, constraints: Constraints, action: Uint8Array): boolean {
    const isRandom = exploresAt(this.options.epsilon, this.steps, this.random);
    if (isRandom) randomAction(this.system, this.narrow(constraints), this.random, action);
    else this.decide(state, constraints, action);
    return isRandom;
  }

  learn(state: SystemState, action: Uint8Array, outcome: Outcome, nextState: SystemState): void {
    this.steps += 1;
    const { discount, leastRate } = this.options;
    const later = discount === 0 ? 0 : discount * this.valueOf(nextState);
    this.valuesOf(state).learn(this.encode(action), outcome.rewardMs + later, leastRate);
  }

  predictMs(state: SystemState, action: Uint8Array): number | undefined {
    if (this.options.discount > 0) return undefined; // its values hold what comes later, too
    const values = this.table.get(stateKey(state));
    const slot = values?.slotOf(this.encode(action));
    return values && slot !== undefined ? -values.values[slot]! : undefined;
  }

  memory(): AgentMemory {
    const states = [...this.table.entries()];
    const tried = states.map(([, values]) => values);
    return {
      numbers: { steps: this.steps },
      arrays: {
        states: Int32Array.from(states.flatMap(([key]) => Array.from(key, (digit) => digit.charCodeAt(0)))),
        counts: Int32Array.from(tried, ({ keys }) => keys.length),
        actions: Float64Array.from(tried.flatMap(({ keys }) => keys)),
        values: Float64Array.from(tried.flatMap(({ values }) => values)),
        visits: Int32Array.from(tried.flatMap(({ visits }) => visits)),
      },
    };
  }

  restore({ numbers, arrays }: AgentMemory, users: number): void {
    if (users !== this.system.users) {
      throw new SluiceError(
        'unsupported',
        `${this.id}: a table of joint actions of ${users} users says nothing about ${this.system.users}; train anew, or use hybrid or factored.`,
      );
    }
    const { states, counts, actions, values, visits } = arrays;
    if (!states || !counts || !actions || !values || !visits) {
      throw new SluiceError('bad-input', `${this.id}: the checkpoint holds no table.`);
    }
    if (!isTable(this.system, { states, counts, actions, values, visits })) {
      throw new SluiceError(
        'bad-input',
        `${this.id}: the checkpoint's table does not hold together: expected ${counts.length} states with their actions, ` +
          `found ${actions.length} actions, ${values.length} values and ${visits.length} visits. Train anew.`,
      );
    }
    this.table.clear();
    const length = counts.length === 0 ? 0 : states.length / counts.length;
    let at = 0;
    counts.forEach((count, index) => {
      const entry = new ActionValues();
      for (const end = at + count; at < end; at += 1) entry.add(actions[at]!, values[at]!, visits[at]!);
      const digits = Array.from(states.subarray(index * length, (index + 1) * length));
      this.table.set(String.fromCharCode(...digits), entry);
    });
    this.steps = numbers['steps'] ?? 0;
  }

  private valuesOf(state: SystemState): ActionValues {
    const key = stateKey(state);
    let values = this.table.get(key);
    if (!values) {
      values = new ActionValues();
      this.table.set(key, values);
    }
    return values;
  }

  /** The best known value of a state; of all actions, whatever their accuracy. */
  private valueOf(state: SystemState): number {
    const values = this.table.get(stateKey(state));
    if (!values || values.values.length === 0) return 0;
    let best = -Infinity;
    for (const value of values.values) best = Math.max(best, value);
    return best;
  }

  private accepts(key: number, constraints: Constraints): boolean {
    this.decode(key, this.scratch);
    for (let user = 0; user < this.scratch.length; user += 1) {
      if (!isAllowed(this.system, constraints, user, this.scratch[user]!)) return false;
    }
    return meetsThreshold(this.system, constraints, this.scratch);
  }

  private purposeOf(constraints: Constraints): Constraints {
    const { thresholdPct, allowed } = constraints;
    if (thresholdPct !== this.purpose.thresholdPct || allowed !== this.purpose.allowed)
      this.purpose = constraints;
    return this.purpose;
  }

  private narrow(constraints: Constraints): Constraints {
    const { choices } = this.options;
    if (!choices) return constraints;
    let allowed = this.narrowed.get(constraints.allowed);
    if (!allowed) {
      allowed = constraints.allowed.map((value, index) => value & choices[index % this.system.choices]!);
      this.narrowed.set(constraints.allowed, allowed);
    }
    return { thresholdPct: constraints.thresholdPct, allowed };
  }

  private encode(action: Uint8Array): number {
    let key = 0;
    for (let user = action.length - 1; user >= 0; user -= 1) key = key * this.system.choices + action[user]!;
    return key;
  }

  private decode(key: number, action: Uint8Array): void {
    let rest = key;
    for (let user = 0; user < action.length; user += 1) {
      const above = Math.floor(rest / this.system.choices);
      action[user] = rest - above * this.system.choices;
      rest = above;
    }
  }
}

/** Whether arrays of a checkpoint belong together; wrong values would be learned on. */
function isTable(
  { choices, users }: System,
  {
    states,
    counts,
    actions,
    values,
    visits,
  }: Readonly<Record<'states' | 'counts' | 'actions' | 'values' | 'visits', ArrayLike<number>>>,
): boolean {
  const perState = Array.from(counts);
  const tried = perState.reduce((sum, count) => sum + count, 0);
  return (
    perState.every((count) => count > 0) &&
    states.length === perState.length * stateLength(users) &&
    [actions, values, visits].every(({ length }) => length === tried) &&
    Array.from(actions).every((key) => Number.isInteger(key) && key >= 0 && key < choices ** users) &&
    Array.from(values).every(Number.isFinite) &&
    Array.from(visits).every((count) => count > 0)
  );
}
