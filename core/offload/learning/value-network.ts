import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import type { System, SystemState } from '../scenario/system';
import type { Constraints } from './constraints';
import { JointInput, NetworkScore } from './joint-input';
import { JointSearch } from './joint-search';
import { Mlp } from './mlp';

export interface ValueNetworkOptions {
  readonly hidden: number;
  readonly learningRate: number;
  /** The step size falls as 1 / (1 + real steps / this). */
  readonly slowAfterSteps: number;
  /** Negative reward that an output of 1 stands for. */
  readonly scaleMs: number;
}

/** Relative errors beyond this count linearly. */
const LARGEST_ERROR = 1;

/** An action-value network over joint actions, with the search that finds its best action. */
export class ValueNetwork {
  readonly network: Mlp;
  private readonly layout: JointInput;
  private readonly input: Float32Array;
  private readonly score: NetworkScore;
  private readonly search: JointSearch;

  constructor(
    system: System,
    private readonly options: ValueNetworkOptions,
    random: Random,
  ) {
    this.layout = new JointInput(system);
    this.network = new Mlp({ inputs: this.layout.length, hidden: options.hidden }, random);
    this.input = new Float32Array(this.layout.length);
    this.score = new NetworkScore(system, this.layout, this.network, options.scaleMs);
    this.search = new JointSearch(system);
  }

  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void {
    this.search.search(this.score, state, constraints, action);
  }

  /** Expected negative reward, ms. */
  predictMs(state: SystemState, action: Uint8Array): number {
    this.layout.fill(state, action, this.input);
    return this.network.predict(this.input) * this.options.scaleMs;
  }

  accumulate(state: SystemState, action: Uint8Array, targetMs: number): void {
    this.layout.fill(state, action, this.input);
    // What is compared are actions near the best, so a percent of a short time counts as much as one of a long time.
    this.network.accumulate(
      this.input,
      targetMs / this.options.scaleMs,
      this.options.scaleMs / targetMs,
      LARGEST_ERROR,
    );
  }

  /** @param steps real steps so far. */
  update(samples: number, steps: number): void {
    const { learningRate, slowAfterSteps } = this.options;
    this.network.update(samples, learningRate / (1 + steps / slowAfterSteps));
  }

  /**
   * Takes over weights, learned for any number of users.
   * @throws SluiceError `bad-input` when there are not as many.
   */
  restore(weights: Float32Array): void {
    const expected = this.network.weights.length;
    if (weights.length !== expected) {
      throw new SluiceError(
        'bad-input',
        `Value network: expected ${expected} weights, found ${weights.length}.`,
      );
    }
    this.network.assign(weights);
  }
}
