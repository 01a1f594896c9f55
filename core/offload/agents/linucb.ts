import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import type { Constraints } from '../learning/constraints';
import { JointSearch } from '../learning/joint-search';
import type { JointScore } from '../learning/joint-search';
import { RecursiveLeastSquares } from '../learning/least-squares';
import { UserFeatures } from '../learning/user-features';
import type { System, SystemState } from '../scenario/system';
import type { Agent, AgentMemory } from './agent';

export interface LinUcbOptions {
  /** Width of the confidence bound. */
  readonly alpha: number;
  /** Share of the past that counts at each sample. */
  readonly memory: number;
}

const SCALE_MS = 100;
const PRIOR_VARIANCE = 10;

/**
 * LinUCB (Li et al. 2010) with a linear model for each tier over `UserFeatures`: the joint action with the lowest sum
 * of lower confidence bounds. Explores by its bounds, never at random; as linear models go, a crowd that slows nobody
 * until the cores are full is beyond it.
 */
export class LinUcbAgent implements Agent {
  readonly id = 'linucb';
  private readonly models: readonly RecursiveLeastSquares[];
  private readonly features: UserFeatures;
  private readonly row: Float64Array;
  private readonly search: JointSearch;

  constructor(
    readonly system: System,
    private readonly options: LinUcbOptions,
  ) {
    this.features = new UserFeatures(system);
    const { length } = this.features;
    this.row = new Float64Array(length);
    this.models = [0, 1, 2].map(() => new RecursiveLeastSquares(length, PRIOR_VARIANCE, options.memory));
    this.search = new JointSearch(system);
  }

  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void {
    this.search.search(this.scoreWith(0), state, constraints, action);
  }

  explore(state: SystemState, constraints: Constraints, action: Uint8Array): boolean {
    this.search.search(this.scoreWith(this.options.alpha), state, constraints, action);
    return false;
  }

  learn(state: SystemState, action: Uint8Array, outcome: Outcome): void {
    this.features.gather(action);
    for (let user = 0; user < action.length; user += 1) {
      const tier = this.features.fill(state, action, user, this.row);
      this.models[tier]!.learn(this.row, outcome.responseMs[user]! / SCALE_MS);
    }
  }

  predictMs(state: SystemState, action: Uint8Array): number {
    return this.boundMs(state, action, 0);
  }

  memory(): AgentMemory {
    return {
      numbers: {},
      arrays: Object.fromEntries(
        this.models.flatMap(({ weights, inverse }, tier) => [
          [`weights${tier}`, weights.slice()],
          [`inverse${tier}`, inverse.slice()],
        ]),
      ),
    };
  }

  restore({ arrays }: AgentMemory): void {
    this.models.forEach((model, tier) => {
      const weights = arrays[`weights${tier}`];
      const inverse = arrays[`inverse${tier}`];
      if (weights?.length !== model.weights.length || inverse?.length !== model.inverse.length) {
        throw new SluiceError(
          'bad-input',
          `linucb: the checkpoint does not hold ${model.size} weights a tier.`,
        );
      }
      model.weights.set(weights);
      model.inverse.set(inverse);
    });
  }

  private scoreWith(alpha: number): JointScore {
    return new BoundScore(this.system.users, (state, action) => this.boundMs(state, action, alpha));
  }

  /** Mean over users of prediction less `alpha` deviations, ms. */
  private boundMs(state: SystemState, action: Uint8Array, alpha: number): number {
    this.features.gather(action);
    let sum = 0;
    for (let user = 0; user < action.length; user += 1) {
      const model = this.models[this.features.fill(state, action, user, this.row)]!;
      sum += model.predict(this.row);
      if (alpha > 0) sum -= alpha * Math.sqrt(Math.max(0, model.uncertainty(this.row)));
    }
    return (sum / action.length) * SCALE_MS;
  }
}

/** Scores each neighbour as a whole. */
class BoundScore implements JointScore {
  private readonly action: Uint8Array;
  private state: SystemState = new Uint8Array(0);

  constructor(
    users: number,
    private readonly meanMs: (state: SystemState, action: Uint8Array) => number,
  ) {
    this.action = new Uint8Array(users);
  }

  begin(state: SystemState, action: Uint8Array): number {
    this.state = state;
    this.action.set(action);
    return this.meanMs(state, this.action);
  }

  probe(user: number, choice: number): number {
    const own = this.action[user]!;
    this.action[user] = choice;
    const ms = this.meanMs(this.state, this.action);
    this.action[user] = own;
    return ms;
  }

  apply(user: number, choice: number): void {
    this.action[user] = choice;
  }
}
