import { CLOUD, DEVICE, EDGE, STATE_CPU, STATE_LINK, STATE_MEMORY, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';

/**
 * What is known beforehand about one user's request and what runs beside it, scaled to about [0, 1]: own work in fp32
 * and in int8, weights to stream when memory is short, background, links, and the others on the same node.
 */
export class UserFeatures {
  /** bias, own fp32, own int8, streamed, background, own work x background, access, backhaul, others' count, fp32, int8 */
  readonly length = 11;
  private readonly floatWork: Float64Array;
  private readonly int8Work: Float64Array;
  private readonly megabytes: Float64Array;
  private readonly crowd: Float64Array;

  constructor(private readonly system: System) {
    const most = Math.max(...system.variants.map(({ mMacs }) => mMacs));
    const workOf = (precision: string) =>
      Float64Array.from(system.variants, (variant) =>
        variant.precision === precision ? variant.mMacs / most : 0,
      );
    this.floatWork = workOf('fp32');
    this.int8Work = workOf('int8');
    this.megabytes = Float64Array.from(system.variants, ({ weightBytes }) => weightBytes / 16e6);
    this.crowd = new Float64Array(3 * CROWD);
  }

  /** Counts who runs where; call it before `fill` for a new action. */
  gather(action: Uint8Array): void {
    const { choiceTier, choiceVariant } = this.system;
    this.crowd.fill(0);
    for (const choice of action) this.addToCrowd(choiceTier[choice]!, choiceVariant[choice]!, 1);
  }

  /** @param features [length], filled for one user of the gathered action. @returns the tier that serves the user. */
  fill(
    state: SystemState,
    action: Uint8Array,
    user: number,
    features: { [index: number]: number; readonly length: number },
  ): number {
    const { users, choiceTier, choiceVariant } = this.system;
    const tier = choiceTier[action[user]!]!;
    const variant = choiceVariant[action[user]!]!;
    const node = nodeOffset(tier === DEVICE ? user : users + tier - EDGE);
    const cpu = state[node + STATE_CPU]! / Math.max(1, this.system.cpuLevels[tier]! - 1);
    const memory = state[node + STATE_MEMORY]! / Math.max(1, this.system.memoryLevels[tier]! - 1);
    const shared = this.system.sharedTiers[tier]!;
    const at = tier * CROWD;
    features[0] = 1;
    features[1] = this.floatWork[variant]!;
    features[2] = this.int8Work[variant]!;
    features[3] = memory * this.megabytes[variant]!;
    features[4] = cpu;
    features[5] = cpu * (this.floatWork[variant]! + this.int8Work[variant]!);
    features[6] = tier !== DEVICE ? state[nodeOffset(user) + STATE_LINK]! : 0;
    features[7] = tier === CLOUD ? state[nodeOffset(users + 1) + STATE_LINK]! : 0;
    features[8] = shared ? (this.crowd[at]! - 1) / TYPICAL_CROWD : 0;
    features[9] = shared ? (this.crowd[at + 1]! - this.floatWork[variant]!) / TYPICAL_CROWD : 0;
    features[10] = shared ? (this.crowd[at + 2]! - this.int8Work[variant]!) / TYPICAL_CROWD : 0;
    return tier;
  }

  private addToCrowd(tier: number, variant: number, count: number): void {
    const at = tier * CROWD;
    this.crowd[at]! += count;
    this.crowd[at + 1]! += count * this.floatWork[variant]!;
    this.crowd[at + 2]! += count * this.int8Work[variant]!;
  }
}

/** Count, fp32 work and int8 work of a tier. */
const CROWD = 3;
const TYPICAL_CROWD = 4;
