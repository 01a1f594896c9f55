import { LINK_CLASSES } from '../scenario/schema';
import { CLOUD, DEVICE, EDGE, STATE_CPU, STATE_LINK, STATE_MEMORY, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import type { JointScore } from './joint-score';
import type { Mlp } from './mlp';

const LINKS = LINK_CLASSES.length;

/**
 * The input of a network that values joint actions: the levels of edge, cloud and backhaul scaled to [0, 1], then what
 * share of the users runs which variant where: on devices of each level, and on edge and cloud by links of each class.
 * Users nothing can tell apart are told apart by nothing, and the length does not depend on their number.
 */
export class JointInput {
  readonly length: number;
  /** [choices]: where the rows of a choice begin; one for each class of user follows after the next. */
  private readonly rowAt: Int32Array;
  private readonly deviceClasses: number;

  constructor(private readonly system: System) {
    const { choiceTier, cpuLevels, memoryLevels } = system;
    this.deviceClasses = cpuLevels[DEVICE] * memoryLevels[DEVICE];
    let next = STATE_INPUTS;
    this.rowAt = Int32Array.from(choiceTier, (tier) => {
      const at = next;
      next += tier === DEVICE ? this.deviceClasses : LINKS;
      return at;
    });
    this.length = next;
  }

  fill(state: SystemState, action: Uint8Array, input: Float32Array): void {
    const { users, cpuLevels, memoryLevels } = this.system;
    const edge = nodeOffset(users);
    const cloud = nodeOffset(users + 1);
    input.fill(0);
    input[0] = state[edge + STATE_CPU]! / Math.max(1, cpuLevels[EDGE] - 1);
    input[1] = state[edge + STATE_MEMORY]! / Math.max(1, memoryLevels[EDGE] - 1);
    input[2] = state[cloud + STATE_CPU]! / Math.max(1, cpuLevels[CLOUD] - 1);
    input[3] = state[cloud + STATE_MEMORY]! / Math.max(1, memoryLevels[CLOUD] - 1);
    input[4] = state[cloud + STATE_LINK]!;
    for (let user = 0; user < action.length; user += 1) {
      input[this.row(state, user, action[user]!)]! += 1 / users;
    }
  }

  /** The input that a user's choice adds 1 / users to. */
  row(state: SystemState, user: number, choice: number): number {
    const at = nodeOffset(user);
    const own =
      this.system.choiceTier[choice] === DEVICE
        ? state[at + STATE_CPU]! * this.system.memoryLevels[DEVICE] + state[at + STATE_MEMORY]!
        : state[at + STATE_LINK]!;
    return this.rowAt[choice]! + own;
  }
}

/** CPU and memory of edge and cloud, and the backhaul. */
const STATE_INPUTS = 5;

/**
 * Scores neighbours with a network over `JointInput`. What a user's choice adds to the hidden sums is a row of the
 * first layer, so a probe costs one pass over the hidden units.
 */
export class NetworkScore implements JointScore {
  private readonly input: Float32Array;
  private readonly pre: Float32Array;
  /** `pre` without what the user last probed adds. */
  private readonly others: Float32Array;
  private readonly action: Uint8Array;
  /** [inputs, hidden]: the first layer's weights over the number of users. */
  private readonly added: Float32Array;
  /** [users, choices]: offsets into `added`. */
  private readonly offsets: Int32Array;
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
    this.added = new Float32Array(layout.length * network.hidden);
    this.offsets = new Int32Array(users * choices);
  }

  begin(state: SystemState, action: Uint8Array): number {
    this.prepare(state);
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

  private prepare(state: SystemState): void {
    const { users, choices } = this.system;
    const { weights, hidden, version } = this.network;
    if (this.addedFor !== version) {
      for (let at = 0; at < this.added.length; at += 1) this.added[at] = weights[at]! / users;
      this.addedFor = version;
    }
    for (let user = 0; user < users; user += 1) {
      for (let choice = 0; choice < choices; choice += 1) {
        this.offsets[user * choices + choice] = this.layout.row(state, user, choice) * hidden;
      }
    }
  }

  private offset(user: number, choice: number): number {
    return this.offsets[user * this.system.choices + choice]!;
  }
}
