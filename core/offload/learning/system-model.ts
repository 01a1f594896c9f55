import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import type { System, SystemState } from '../scenario/system';
import { Mlp } from './mlp';
import { UserFeatures } from './user-features';

export interface SystemModelOptions {
  readonly hidden: number;
  readonly learningRate: number;
  /** The step size falls as 1 / (1 + steps / this). */
  readonly slowAfterSteps: number;
  /** Measurements kept of each tier. */
  readonly capacity: number;
  readonly batch: number;
  readonly batchesPerStep: number;
}

const SCALE_MS = 100;

/**
 * The learned model of the system: a network for each tier predicts one user's response time from what runs beside it.
 * Users share it, so every real step gives as many samples as there are users, and it carries over to other numbers of
 * users.
 */
export class SystemModel {
  readonly networks: readonly Mlp[];
  private readonly features: UserFeatures;
  private readonly row: Float32Array;
  private readonly memories: readonly TierMemory[];
  private steps = 0;

  constructor(
    private readonly system: System,
    private readonly options: SystemModelOptions,
    private readonly random: Random,
  ) {
    this.features = new UserFeatures(system);
    const { length } = this.features;
    this.row = new Float32Array(length);
    this.networks = [0, 1, 2].map(() => new Mlp({ inputs: length, hidden: options.hidden }, random));
    this.memories = [0, 1, 2].map(() => new TierMemory(options.capacity, length));
  }

  /** Keeps one real step and learns from what is kept. */
  learn(state: SystemState, action: Uint8Array, outcome: Outcome): void {
    this.features.gather(action);
    for (let user = 0; user < action.length; user += 1) {
      const tier = this.features.fill(state, action, user, this.row);
      this.memories[tier]!.add(this.row, outcome.responseMs[user]! / SCALE_MS);
    }
    this.steps += 1;
    const rate = this.options.learningRate / (1 + this.steps / this.options.slowAfterSteps);
    this.memories.forEach((memory, tier) => {
      for (let batch = 0; batch < this.options.batchesPerStep; batch += 1) {
        this.train(this.networks[tier]!, memory, rate);
      }
    });
  }

  /** Predicted mean response time, ms. */
  meanMs(state: SystemState, action: Uint8Array): number {
    this.features.gather(action);
    let sum = 0;
    for (let user = 0; user < action.length; user += 1) {
      const tier = this.features.fill(state, action, user, this.row);
      sum += this.networks[tier]!.predict(this.row);
    }
    return (sum / this.system.users) * SCALE_MS;
  }

  /** @throws SluiceError `bad-input` when the weights are of another shape. */
  restore(weights: readonly Float32Array[]): void {
    this.networks.forEach((network, tier) => {
      const source = weights[tier];
      if (source?.length !== network.weights.length) {
        throw new SluiceError(
          'bad-input',
          `System model: expected ${network.weights.length} weights of tier ${tier}, found ${source?.length ?? 0}.`,
        );
      }
      network.assign(source);
    });
  }

  private train(network: Mlp, memory: TierMemory, rate: number): void {
    const { batch } = this.options;
    if (memory.size < batch) return;
    for (let sample = 0; sample < batch; sample += 1) {
      const at = memory.draw(this.random);
      const target = memory.targets[at]!;
      network.accumulate(memory.featuresAt(at), target, 1 / target, 1);
    }
    network.update(batch, rate);
  }
}

/** The last measurements of one tier. */
class TierMemory {
  readonly targets: Float32Array;
  size = 0;
  private readonly rows: Float32Array;
  private next = 0;

  constructor(
    private readonly capacity: number,
    private readonly length: number,
  ) {
    this.rows = new Float32Array(capacity * length);
    this.targets = new Float32Array(capacity);
  }

  add(row: Float32Array, target: number): void {
    this.rows.set(row, this.next * this.length);
    this.targets[this.next] = target;
    this.next = (this.next + 1) % this.capacity;
    this.size = Math.min(this.capacity, this.size + 1);
  }

  draw(random: Random): number {
    return Math.floor(random() * this.size);
  }

  featuresAt(at: number): Float32Array {
    return this.rows.subarray(at * this.length, (at + 1) * this.length);
  }
}
