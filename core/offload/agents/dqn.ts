import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import type { Constraints } from '../learning/constraints';
import { exploresAt, randomAction } from '../learning/exploration';
import type { EpsilonSchedule } from '../learning/exploration';
import { ReplayBuffer } from '../learning/replay-buffer';
import { ValueNetwork } from '../learning/value-network';
import type { ValueNetworkOptions } from '../learning/value-network';
import { stateLength } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import type { Agent, AgentMemory } from './agent';

export interface DqnOptions extends ValueNetworkOptions {
  readonly epsilon: EpsilonSchedule;
  readonly replayCapacity: number;
  readonly batch: number;
  /** See `QLearningOptions.discount`. */
  readonly discount: number;
  /** Steps between copies to the target network. */
  readonly targetEvery: number;
}

/**
 * Deep Q-learning (Mnih et al. 2015) with experience replay and a target network. The network takes a state and a
 * joint action and gives one value, because an output for each joint action would be choices to the power of users;
 * its best action is found by `JointSearch`. The online network picks the next action and the target network values it
 * (van Hasselt et al. 2016).
 */
export class DqnAgent implements Agent {
  readonly id = 'dqn';
  private readonly online: ValueNetwork;
  private readonly target: ValueNetwork;
  private readonly replay: ReplayBuffer;
  private readonly nextAction: Uint8Array;
  private lastConstraints: Constraints | undefined;
  private steps = 0;

  constructor(
    readonly system: System,
    private readonly options: DqnOptions,
    private readonly random: Random,
  ) {
    this.online = new ValueNetwork(system, options, random);
    this.target = new ValueNetwork(system, options, random);
    this.target.network.copyFrom(this.online.network);
    this.replay = new ReplayBuffer(options.replayCapacity, stateLength(system.users), system.users);
    this.nextAction = new Uint8Array(system.users);
  }

  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void {
    this.online.decide(state, constraints, action);
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
    if (this.options.discount > 0 && this.lastConstraints) {
      this.online.decide(nextState, this.lastConstraints, this.nextAction);
    }
    this.replay.add(state, action, outcome.rewardMs, nextState, this.nextAction);
    if (this.replay.size < this.options.batch) return;
    this.train();
    if (this.steps % this.options.targetEvery === 0) this.target.network.copyFrom(this.online.network);
  }

  predictMs(state: SystemState, action: Uint8Array): number | undefined {
    return this.options.discount > 0 ? undefined : this.online.predictMs(state, action);
  }

  memory(): AgentMemory {
    return { numbers: { steps: this.steps }, arrays: { network: this.online.network.weights.slice() } };
  }

  restore({ numbers, arrays }: AgentMemory, users: number): void {
    const { network } = arrays;
    if (!(network instanceof Float32Array)) {
      throw new SluiceError('bad-input', 'dqn: the checkpoint holds no network.');
    }
    this.online.restore(network);
    this.target.network.copyFrom(this.online.network);
    this.steps = users === this.system.users ? (numbers['steps'] ?? 0) : 0;
  }

  private train(): void {
    const { batch, discount } = this.options;
    const { replay } = this;
    for (let sample = 0; sample < batch; sample += 1) {
      const at = replay.draw(this.random);
      const laterMs =
        discount === 0
          ? 0
          : discount * this.target.predictMs(replay.nextStateAt(at), replay.nextActionAt(at));
      this.online.accumulate(replay.stateAt(at), replay.actionAt(at), laterMs - replay.rewards[at]!);
    }
    this.online.update(batch, this.steps);
  }
}
