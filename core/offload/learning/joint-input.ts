import { stateLength, stateRadix } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import type { JointScore } from './joint-search';
import type { Mlp } from './mlp';

/**
 * The input of a network that values joint actions: the state's levels scaled to [0, 1], then for each user the tier
 * and the variant as one-hot blocks. [stateLength + users * (3 + variants)].
 */
export class JointInput {
  readonly length: number;
  private readonly stateScale: Float32Array;
  private readonly blockAt: number;
  private readonly blockLength: number;

  constructor(private readonly system: System) {
    const length = stateLength(system.users);
    this.stateScale = Float32Array.from(
      { length },
      (_, index) => 1 / Math.max(1, stateRadix(system, index) - 1),
    );
    this.blockAt = length;
    this.blockLength = 3 + system.variants.length;
    this.length = length + system.users * this.blockLength;
  }

  fill(state: SystemState, action: Uint8Array, input: Float32Array): void {
    input.fill(0);
    for (let index = 0; index < state.length; index += 1)
      input[index] = state[index]! * this.stateScale[index]!;
    for (let user = 0; user < action.length; user += 1) {
      input[this.tierIndex(user, action[user]!)] = 1;
      input[this.variantIndex(user, action[user]!)] = 1;
    }
  }

  tierIndex(user: number, choice: number): number {
    return this.blockAt + user * this.blockLength + this.system.choiceTier[choice]!;
  }

  variantIndex(user: number, choice: number): number {
    return this.blockAt + user * this.blockLength + 3 + this.system.choiceVariant[choice]!;
  }
}

/**
 * Scores neighbours with a network over `JointInput`. What a user's choice adds to the hidden sums is kept for every
 * choice while the weights stay, so a probe costs one pass over the hidden units.
 */
export class NetworkScore implements JointScore {
  private readonly input: Float32Array;
  private readonly pre: Float32Array;
  /** `pre` without what the user last probed adds. */
  private readonly others: Float32Array;
  private readonly action: Uint8Array;
  /** [users, choices, hidden] */
  private readonly added: Float32Array;
  private addedFor = -1;
  private probedUser = -1;

  /** @param scaleMs what the network's output of 1 stands for; it predicts the negative reward. */
  constructor(
    private readonly system: System,
    private readonly layout: JointInput,
    private readonly network: Mlp,
    private readonly scaleMs: number,
  ) {
    const { users, choices } = system;
    this.input = new Float32Array(layout.length);
    this.pre = new Float32Array(network.hidden);
    this.others = new Float32Array(network.hidden);
    this.action = new Uint8Array(users);
    this.added = new Float32Array(users * choices * network.hidden);
  }

  begin(state: SystemState, action: Uint8Array): number {
    if (this.addedFor !== this.network.version) this.prepare();
    this.action.set(action);
    this.probedUser = -1;
    this.layout.fill(state, action, this.input);
    this.network.preactivate(this.input, this.pre);
    return this.network.finish(this.pre) * this.scaleMs;
  }

  probe(user: number, choice: number): number {
    if (user !== this.probedUser) this.leaveOut(user);
    return this.network.finishSum(this.others, this.added, this.offset(user, choice)) * this.scaleMs;
  }

  apply(user: number, choice: number): void {
    if (user !== this.probedUser) this.leaveOut(user);
    const at = this.offset(user, choice);
    for (let unit = 0; unit < this.pre.length; unit += 1)
      this.pre[unit] = this.others[unit]! + this.added[at + unit]!;
    this.action[user] = choice;
  }

  private leaveOut(user: number): void {
    const at = this.offset(user, this.action[user]!);
    for (let unit = 0; unit < this.pre.length; unit += 1)
      this.others[unit] = this.pre[unit]! - this.added[at + unit]!;
    this.probedUser = user;
  }

  private prepare(): void {
    const { layout } = this;
    const { weights, hidden, version } = this.network;
    for (let user = 0; user < this.system.users; user += 1) {
      for (let choice = 0; choice < this.system.choices; choice += 1) {
        const at = this.offset(user, choice);
        const tierAt = layout.tierIndex(user, choice) * hidden;
        const variantAt = layout.variantIndex(user, choice) * hidden;
        for (let unit = 0; unit < hidden; unit += 1) {
          this.added[at + unit] = weights[tierAt + unit]! + weights[variantAt + unit]!;
        }
      }
    }
    this.addedFor = version;
  }

  private offset(user: number, choice: number): number {
    return (user * this.system.choices + choice) * this.network.hidden;
  }
}
