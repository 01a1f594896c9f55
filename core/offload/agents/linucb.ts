import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import type { Constraints } from '../learning/constraints';
import { CrowdFeatures } from '../learning/crowd-features';
import { JointSearch } from '../learning/joint-search';
import { RecursiveLeastSquares } from '../learning/least-squares';
import type { System, SystemState } from '../scenario/system';
import type { Agent, AgentMemory } from './agent';
import { LinearScore } from './linucb-score';

export interface LinUcbOptions {
  /** Width of the confidence bound. */
  readonly alpha: number;
  /** Share of the past that counts at each sample. */
  readonly memory: number;
}

const SCALE_MS = 100;
const PRIOR_VARIANCE = 10;

/**
 * LinUCB (Li et al. 2010) with a linear model for each tier over `CrowdFeatures`: the joint action with the lowest sum
 * of lower confidence bounds. Explores by its bounds, never at random.
 */
export class LinUcbAgent implements Agent {
  readonly id = 'linucb';
  private readonly models: readonly RecursiveLeastSquares[];
  private readonly score: LinearScore;
  private readonly search: JointSearch;

  constructor(
    readonly system: System,
    private readonly options: LinUcbOptions,
  ) {
    this.models = [0, 1, 2].map(
      (tier) =>
        new RecursiveLeastSquares(new CrowdFeatures(system, tier).size, PRIOR_VARIANCE, options.memory),
    );
    this.score = new LinearScore(system, this.models, SCALE_MS);
    this.search = new JointSearch(system);
  }

  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void {
    this.score.alpha = 0;
    this.search.search(this.score, state, constraints, action);
  }

  explore(state: SystemState, constraints: Constraints, action: Uint8Array): boolean {
    this.score.alpha = this.options.alpha;
    this.search.search(this.score, state, constraints, action);
    return false;
  }

  learn(state: SystemState, action: Uint8Array, outcome: Outcome): void {
    const { choiceTier, choiceVariant } = this.system;
    this.score.begin(state, action);
    for (let user = 0; user < action.length; user += 1) {
      const tier = choiceTier[action[user]!]!;
      const features = this.score.features[tier]!;
      features.fill(state, user, choiceVariant[action[user]!]!);
      const target = outcome.responseMs[user]! / SCALE_MS;
      // Noise grows with the time itself.
      this.models[tier]!.learn(features, target, 1 / target ** 2);
    }
  }

  predictMs(state: SystemState, action: Uint8Array): number {
    this.score.alpha = 0;
    return this.score.begin(state, action);
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

  restore({ arrays }: AgentMemory, users: number): void {
    this.models.forEach((model, tier) => {
      const source = new CrowdFeatures({ ...this.system, users }, tier);
      const weights = arrays[`weights${tier}`];
      const inverse = arrays[`inverse${tier}`];
      if (weights?.length !== source.size || inverse?.length !== source.size ** 2) {
        throw new SluiceError(
          'bad-input',
          `linucb: expected ${source.size} weights of tier ${tier} for ${users} users, found ${weights?.length ?? 0}.`,
        );
      }
      model.adopt(weights, inverse, this.score.features[tier]!.originsIn(source));
    });
  }
}
