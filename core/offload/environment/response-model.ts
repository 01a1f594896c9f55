import { LINK_CLASSES, TIERS, timeRatioOf } from '../scenario/schema';
import type { Scenario } from '../scenario/schema';
import { CLOUD, DEVICE, EDGE, STATE_CPU, STATE_LINK, STATE_MEMORY, nodeOffset } from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import { SharedProcessor } from './processor-sharing';

/** Response times of the users that one shared tier serves, given by parallel arrays. */
export interface TierLoad {
  count: number;
  /** [count]: access link class of each user. */
  readonly link: Uint8Array;
  /** [count]: variant each runs. */
  readonly variant: Uint8Array;
}

/**
 * The simulated truth: noise-free response times of a scenario. All users ask at once.
 * - device: its own core, shared with the device's background;
 * - edge: half a round trip and the payload over the user's own link, processor sharing, half a round trip back;
 * - cloud: as the edge, then the backhaul, whose bandwidth the transfers share, then processor sharing there.
 * A variant larger than the node's free memory first streams its weights from storage.
 * Answers are small: their transfer is part of the round trip.
 */
export class ResponseModel {
  private readonly computeMs: readonly Float64Array[];
  private readonly streamMs: readonly (readonly Float64Array[])[];
  private readonly payloadBytes: Float64Array;
  private readonly access: readonly { readonly rttMs: number; readonly bytesPerMs: number }[];
  private readonly backhaul: readonly { readonly rttMs: number; readonly bytesPerMs: number }[];
  private readonly processor: SharedProcessor;
  private readonly arrivalMs: Float64Array;
  private readonly workMs: Float64Array;
  private readonly tierLoad: TierLoad;
  private readonly tierMs: Float64Array;

  constructor(
    private readonly scenario: Scenario,
    private readonly system: System,
  ) {
    const { variants, users, links } = scenario;
    this.computeMs = TIERS.map((name) => {
      const { mMacsPerMs } = scenario.tiers[name];
      return Float64Array.from(
        variants,
        (variant) => (variant.mMacs / mMacsPerMs) * timeRatioOf(scenario, name, variant),
      );
    });
    this.streamMs = TIERS.map((name) => {
      const { background, storageBytesPerMs } = scenario.tiers[name];
      return background.freeBytes.map((freeBytes) =>
        Float64Array.from(variants, ({ weightBytes }) =>
          weightBytes <= freeBytes ? 0 : weightBytes / storageBytesPerMs,
        ),
      );
    });
    this.payloadBytes = Float64Array.from(variants, ({ payloadBytes }) => payloadBytes);
    this.access = LINK_CLASSES.map((name) => links.access[name]);
    this.backhaul = LINK_CLASSES.map((name) => links.backhaul[name]);
    this.processor = new SharedProcessor(users);
    this.arrivalMs = new Float64Array(users);
    this.workMs = new Float64Array(users);
    this.tierMs = new Float64Array(users);
    this.tierLoad = { count: 0, link: new Uint8Array(users), variant: new Uint8Array(users) };
  }

  /**
   * @param responseMs [users], filled.
   * @returns the mean.
   */
  evaluate(state: SystemState, action: Uint8Array, responseMs: Float64Array): number {
    const { choiceTier, choiceVariant, users } = this.system;
    let sumMs = 0;
    for (let user = 0; user < users; user += 1) {
      const choice = action[user]!;
      if (choiceTier[choice] !== DEVICE) continue;
      const node = nodeOffset(user);
      const ms = this.deviceMs(state[node + STATE_CPU]!, state[node + STATE_MEMORY]!, choiceVariant[choice]!);
      responseMs[user] = ms;
      sumMs += ms;
    }
    for (let tier = EDGE; tier <= CLOUD; tier += 1) {
      this.gather(state, action, tier);
      if (this.tierLoad.count === 0) continue;
      sumMs += this.sharedMs(state, tier, this.tierLoad, this.tierMs);
      this.scatter(action, tier, responseMs);
    }
    return sumMs / users;
  }

  /** Response time of a variant on a device of these levels. */
  deviceMs(cpuLevel: number, memoryLevel: number, variant: number): number {
    const { cores, overheadMs, background } = this.scenario.tiers.device;
    const slowdown = Math.max(1, (1 + background.busyThreads[cpuLevel]!) / cores);
    return (
      overheadMs +
      this.streamMs[DEVICE]![memoryLevel]![variant]! +
      this.computeMs[DEVICE]![variant]! * slowdown
    );
  }

  /**
   * Response times of everything one shared tier serves; only its own levels and the backhaul's class are read.
   * @param responseMs [load.count], filled. @returns their sum.
   */
  sharedMs(state: SystemState, tier: number, load: TierLoad, responseMs: Float64Array): number {
    const { arrivalMs, workMs } = this;
    const { cores, overheadMs, background } = this.scenario.tiers[TIERS[tier]!];
    const node = nodeOffset(this.system.users + tier - EDGE);
    const streamMs = this.streamMs[tier]![state[node + STATE_MEMORY]!]!;
    const { count, link, variant } = load;
    for (let job = 0; job < count; job += 1) {
      const { rttMs, bytesPerMs } = this.access[link[job]!]!;
      arrivalMs[job] = rttMs / 2 + this.payloadBytes[variant[job]!]! / bytesPerMs;
    }
    const backhaulRttMs = tier === CLOUD ? this.crossBackhaul(state[node + STATE_LINK]!, load) : 0;
    for (let job = 0; job < count; job += 1) {
      arrivalMs[job] = arrivalMs[job]! + backhaulRttMs / 2 + overheadMs + streamMs[variant[job]!]!;
      workMs[job] = this.computeMs[tier]![variant[job]!]!;
    }
    this.processor.run(
      count,
      arrivalMs,
      workMs,
      cores,
      background.busyThreads[state[node + STATE_CPU]!]!,
      responseMs,
    );
    let sumMs = 0;
    for (let job = 0; job < count; job += 1) {
      const ms = responseMs[job]! + this.access[link[job]!]!.rttMs / 2 + backhaulRttMs / 2;
      responseMs[job] = ms;
      sumMs += ms;
    }
    return sumMs;
  }

  /** Moves arrivals to the far end of the shared backhaul. @returns its round trip. */
  private crossBackhaul(linkClass: number, { count, variant }: TierLoad): number {
    const { arrivalMs, workMs } = this;
    const { rttMs, bytesPerMs } = this.backhaul[linkClass]!;
    for (let job = 0; job < count; job += 1) workMs[job] = this.payloadBytes[variant[job]!]! / bytesPerMs;
    this.processor.run(count, arrivalMs, workMs, 1, 0, arrivalMs);
    return rttMs;
  }

  private gather(state: SystemState, action: Uint8Array, tier: number): void {
    const { choiceTier, choiceVariant, users } = this.system;
    const load = this.tierLoad;
    load.count = 0;
    for (let user = 0; user < users; user += 1) {
      const choice = action[user]!;
      if (choiceTier[choice] !== tier) continue;
      load.link[load.count] = state[nodeOffset(user) + STATE_LINK]!;
      load.variant[load.count] = choiceVariant[choice]!;
      load.count += 1;
    }
  }

  private scatter(action: Uint8Array, tier: number, responseMs: Float64Array): void {
    const { choiceTier, users } = this.system;
    let job = 0;
    for (let user = 0; user < users; user += 1) {
      if (choiceTier[action[user]!] !== tier) continue;
      responseMs[user] = this.tierMs[job]!;
      job += 1;
    }
  }
}
