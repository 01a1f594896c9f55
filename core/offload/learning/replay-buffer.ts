import type { Random } from '../../base';

/** The last experiences in flat arrays: state, action, reward, and the next state with the action then held best. */
export class ReplayBuffer {
  readonly states: Uint8Array;
  readonly actions: Uint8Array;
  readonly rewards: Float32Array;
  readonly nextStates: Uint8Array;
  readonly nextActions: Uint8Array;
  /** Experiences held, at most the capacity. */
  size = 0;
  private next = 0;

  constructor(
    readonly capacity: number,
    readonly stateLength: number,
    readonly users: number,
  ) {
    this.states = new Uint8Array(capacity * stateLength);
    this.actions = new Uint8Array(capacity * users);
    this.rewards = new Float32Array(capacity);
    this.nextStates = new Uint8Array(capacity * stateLength);
    this.nextActions = new Uint8Array(capacity * users);
  }

  /** @returns where it is kept. */
  add(
    state: Uint8Array,
    action: Uint8Array,
    reward: number,
    nextState: Uint8Array,
    nextAction: Uint8Array,
  ): number {
    const at = this.next;
    this.states.set(state, at * this.stateLength);
    this.actions.set(action, at * this.users);
    this.rewards[at] = reward;
    this.nextStates.set(nextState, at * this.stateLength);
    this.nextActions.set(nextAction, at * this.users);
    this.next = (at + 1) % this.capacity;
    this.size = Math.min(this.capacity, this.size + 1);
    return at;
  }

  /** A uniform index of what is held. */
  draw(random: Random): number {
    return Math.floor(random() * this.size);
  }

  stateAt(at: number): Uint8Array {
    return this.states.subarray(at * this.stateLength, (at + 1) * this.stateLength);
  }

  actionAt(at: number): Uint8Array {
    return this.actions.subarray(at * this.users, (at + 1) * this.users);
  }

  nextStateAt(at: number): Uint8Array {
    return this.nextStates.subarray(at * this.stateLength, (at + 1) * this.stateLength);
  }

  nextActionAt(at: number): Uint8Array {
    return this.nextActions.subarray(at * this.users, (at + 1) * this.users);
  }
}
