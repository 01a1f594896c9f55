import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import type { System, SystemState } from '../scenario/system';
import { stateLength } from '../scenario/system';
import type { Constraints } from './constraints';
import { JointInput, NetworkScore } from './joint-input';
import { JointSearch } from './joint-search';
import { Mlp } from './mlp';

export interface ValueNetworkOptions {
  readonly hidden: number;
  readonly learningRate: number;
  /** Negative reward that an output of 1 stands for. */
  readonly scaleMs: number;
}

/** Errors beyond this many scales count linearly. */
const LARGEST_ERROR = 1;

/** An action-value network over joint actions, with the search that finds its best action. */
export class ValueNetwork {
  readonly network: Mlp;
  private readonly layout: JointInput;
  private readonly input: Float32Array;
  private readonly score: NetworkScore;
  private readonly search: JointSearch;

  constructor(
    private readonly system: System,
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
    this.network.accumulate(this.input, targetMs / this.options.scaleMs, LARGEST_ERROR);
  }

  update(samples: number, rateFactor = 1): void {
    this.network.update(samples, this.options.learningRate * rateFactor);
  }

  /**
   * Takes over weights learned for another number of users: users take the blocks of those in turn, scaled so that
   * they add up to as much.
   * @throws SluiceError `bad-input` when the weights are of another shape.
   */
  restore(weights: Float32Array, users: number): void {
    const { hidden } = this.network;
    const blockLength = 3 + this.system.variants.length;
    const inputs = stateLength(users) + users * blockLength;
    const expected = inputs * hidden + 2 * hidden + 1;
    if (weights.length !== expected) {
      throw new SluiceError(
        'bad-input',
        `Value network: expected ${expected} weights for ${users} users, found ${weights.length}.`,
      );
    }
    const scale = users / this.system.users;
    const target = this.network.weights.slice();
    const copyRow = (from: number, to: number, factor: number): void => {
      for (let unit = 0; unit < hidden; unit += 1)
        target[to * hidden + unit] = weights[from * hidden + unit]! * factor;
    };
    const here = this.system.users;
    for (let user = 0; user < here; user += 1) {
      const source = user % users;
      for (let part = 0; part < 3; part += 1) copyRow(source * 3 + part, user * 3 + part, scale);
      for (let at = 0; at < blockLength; at += 1) {
        const from = stateLength(users) + source * blockLength + at;
        copyRow(from, stateLength(here) + user * blockLength + at, scale);
      }
    }
    for (let part = 0; part < 6; part += 1) copyRow(users * 3 + part, here * 3 + part, 1);
    target.set(weights.subarray(inputs * hidden), this.layout.length * hidden);
    this.network.assign(target);
  }
}
