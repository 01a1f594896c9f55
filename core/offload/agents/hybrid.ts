import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import type { Constraints } from '../learning/constraints';
import { exploresAt, randomAction } from '../learning/exploration';
import type { EpsilonSchedule } from '../learning/exploration';
import { ReplayBuffer } from '../learning/replay-buffer';
import { SystemModel } from '../learning/system-model';
import type { SystemModelOptions } from '../learning/system-model';
import { ValueNetwork } from '../learning/value-network';
import type { ValueNetworkOptions } from '../learning/value-network';
import { stateLength } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import type { Agent, AgentMemory } from './agent';

export interface HybridOptions extends ValueNetworkOptions {
  readonly epsilon: EpsilonSchedule;
  readonly replayCapacity: number;
  readonly batch: number;
  /** K: planned batches after each real step. 0 is direct RL alone. */
  readonly planningSteps: number;
  readonly planningBatch: number;
  /** Plans only state-action pairs that really happened (the ablation); else also actions never taken. */
  readonly grounded: boolean;
  readonly model: SystemModelOptions;
}

/**
 * Hybrid Learning (arXiv 2202.11098) in the manner of Dyna (Sutton 1991): direct reinforcement learning of a value
 * network from real steps, a system model learned from the same steps, and K planning steps in which the value network
 * learns from what the model says of imagined actions in states that were really met. With a discount of 0: see
 * `QLearningOptions.discount`.
 */
export class HybridAgent implements Agent {
  private readonly value: ValueNetwork;
  private readonly model: SystemModel;
  private readonly replay: ReplayBuffer;
  private readonly imagined: Uint8Array;
  private lastConstraints: Constraints | undefined;
  private steps = 0;

  constructor(
    readonly id: string,
    readonly system: System,
    private readonly options: HybridOptions,
    private readonly random: Random,
  ) {
    this.value = new ValueNetwork(system, options, random);
    this.model = new SystemModel(system, options.model, random);
    this.replay = new ReplayBuffer(options.replayCapacity, stateLength(system.users), system.users);
    this.imagined = new Uint8Array(system.users);
  }

  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void {
    this.value.decide(state, constraints, action);
  }

  explore(state: SystemState, constraints: Constraints, action: Uint8Array): boolean {
    this.lastConstraints = constraints;
    const isRandom = exploresAt(this.options.epsilon, this.steps, this.random);
    if (isRandom) randomAction(this.system, constraints, this.random, action);
    else this.decide(state, constraints, action);
    return isRandom;
  }

  learn(state: SystemState, action: Uint8Array, outcome: Outcome, nextState: SystemState): void {
    this.steps += 1;
    this.replay.add(state, action, outcome.rewardMs, nextState, action);
    if (this.options.planningSteps > 0) this.model.learn(state, action, outcome);
    if (this.replay.size < this.options.batch) return;
    this.learnDirectly();
    for (let step = 0; step < this.options.planningSteps; step += 1) this.plan();
  }

  predictMs(state: SystemState, action: Uint8Array): number {
    return this.value.predictMs(state, action);
  }

  memory(): AgentMemory {
    const [device, edge, cloud] = this.model.networks.map(({ weights }) => weights.slice());
    return {
      numbers: { steps: this.steps },
      arrays: { network: this.value.network.weights.slice(), device: device!, edge: edge!, cloud: cloud! },
    };
  }

  restore({ numbers, arrays }: AgentMemory, users: number): void {
    const { network, device, edge, cloud } = arrays;
    const float32 = [network, device, edge, cloud].filter((array) => array instanceof Float32Array);
    const [value, ...models] = float32;
    if (!value || models.length !== 3) {
      throw new SluiceError(
        'bad-input',
        `${this.id}: the checkpoint holds no value network and system model.`,
      );
    }
    this.value.restore(value);
    this.model.restore(models);
    this.steps = users === this.system.users ? (numbers['steps'] ?? 0) : 0;
  }

  private learnDirectly(): void {
    const { batch } = this.options;
    for (let sample = 0; sample < batch; sample += 1) {
      const at = this.replay.draw(this.random);
      this.value.accumulate(this.replay.stateAt(at), this.replay.actionAt(at), -this.replay.rewards[at]!);
    }
    this.value.update(batch, this.steps);
  }

  private plan(): void {
    const { planningBatch } = this.options;
    for (let sample = 0; sample < planningBatch; sample += 1) {
      const at = this.replay.draw(this.random);
      const state = this.replay.stateAt(at);
      this.imagine(at);
      this.value.accumulate(state, this.imagined, this.model.meanMs(state, this.imagined));
    }
    this.value.update(planningBatch, this.steps);
  }

  /** Half of the imagined actions are random, half are real ones with one user changed: what decisions compare. */
  private imagine(at: number): void {
    this.imagined.set(this.replay.actionAt(at));
    if (this.options.grounded) return;
    if (this.random() < 0.5 && this.lastConstraints) {
      randomAction(this.system, this.lastConstraints, this.random, this.imagined);
      return;
    }
    this.imagined.set(this.replay.actionAt(this.replay.draw(this.random)));
    const user = Math.floor(this.random() * this.imagined.length);
    this.imagined[user] = Math.floor(this.random() * this.system.choices);
  }
}
