import { gaussian, seededRandom } from '../../base';
import type { Random } from '../../base';
import { SluiceError } from '../../contract';
import { LINK_CLASSES, TIERS } from '../scenario/schema';
import type { LinkClassName, Scenario } from '../scenario/schema';
import {
  ACCURACY_TOLERANCE_PCT,
  CLOUD,
  DEVICE,
  EDGE,
  STATE_CPU,
  STATE_LINK,
  STATE_MEMORY,
  meanAccuracyPct,
  nodeOffset,
  stateLength,
  systemOf,
} from '../scenario/system';
import type { System, SystemState } from '../scenario/system';
import type { Environment, Outcome } from './environment';
import { ResponseModel } from './response-model';

/** The links a change sets. */
export interface LinkChange {
  readonly userClasses: readonly LinkClassName[];
  readonly backhaulClass: LinkClassName;
}

/**
 * A scenario played with seeded background load and measurement noise: the same seed and actions give the same
 * outcomes. Background changes after each step.
 */
export class SimulatedTestbed implements Environment {
  readonly system: System;
  /** Response times without noise, for oracles and evaluation. */
  readonly truth: ResponseModel;
  private readonly random: Random;
  private readonly state: SystemState;
  private readonly responseMs: Float64Array;
  private readonly worstMs: number;
  private steps = 0;

  constructor(
    readonly scenario: Scenario,
    seed: number,
  ) {
    this.system = systemOf(scenario);
    this.truth = new ResponseModel(scenario, this.system);
    this.random = seededRandom(seed);
    this.state = new Uint8Array(stateLength(scenario.users));
    this.responseMs = new Float64Array(scenario.users);
    this.setLinks(scenario.links);
    this.worstMs = this.longestResponseMs();
  }

  /** Real steps taken so far. */
  get stepsTaken(): number {
    return this.steps;
  }

  observe(): SystemState {
    return this.state.slice();
  }

  step(action: Uint8Array, thresholdPct: number): Outcome {
    this.check(action);
    this.truth.evaluate(this.state, action, this.responseMs);
    const { measurementNoise, users } = this.scenario;
    let sumMs = 0;
    for (let user = 0; user < users; user += 1) {
      if (measurementNoise > 0) {
        this.responseMs[user] =
          this.responseMs[user]! * Math.max(0.5, 1 + measurementNoise * gaussian(this.random));
      }
      sumMs += this.responseMs[user]!;
    }
    const accuracyPct = meanAccuracyPct(this.system, action);
    const meets = accuracyPct >= thresholdPct - ACCURACY_TOLERANCE_PCT;
    this.steps += 1;
    this.moveBackground();
    return {
      responseMs: this.responseMs,
      meanResponseMs: sumMs / users,
      meanAccuracyPct: accuracyPct,
      rewardMs: meets ? -sumMs / users : -this.worstMs,
    };
  }

  /** An abrupt change of link classes; users take the given ones in turn. */
  setLinks({ userClasses, backhaulClass }: LinkChange): void {
    const { users } = this.scenario;
    for (let user = 0; user < users; user += 1) {
      const name = userClasses[user % userClasses.length]!;
      this.state[nodeOffset(user) + STATE_LINK] = LINK_CLASSES.indexOf(name);
    }
    const backhaul = LINK_CLASSES.indexOf(backhaulClass);
    this.state[nodeOffset(users) + STATE_LINK] = backhaul;
    this.state[nodeOffset(users + 1) + STATE_LINK] = backhaul;
  }

  private moveBackground(): void {
    for (let node = 0; node < this.scenario.users + 2; node += 1) {
      const tier = this.tierOf(node);
      const { stayProbability } = this.scenario.tiers[TIERS[tier]!].background;
      const at = nodeOffset(node);
      this.moveLevel(at + STATE_CPU, this.system.cpuLevels[tier]!, stayProbability);
      this.moveLevel(at + STATE_MEMORY, this.system.memoryLevels[tier]!, stayProbability);
    }
  }

  private moveLevel(index: number, levels: number, stayProbability: number): void {
    if (levels === 1 || this.random() < stayProbability) return;
    const others = Math.floor(this.random() * (levels - 1));
    this.state[index] = others < this.state[index]! ? others : others + 1;
  }

  private tierOf(node: number): number {
    if (node < this.scenario.users) return DEVICE;
    return node === this.scenario.users ? EDGE : CLOUD;
  }

  private check(action: Uint8Array): void {
    const { users, choices } = this.system;
    if (action.length === users && action.every((choice) => choice < choices)) return;
    throw new SluiceError(
      'bad-input',
      `Joint action: expected ${users} choices below ${choices}, found [${action.join(', ')}].`,
    );
  }

  /** Everybody on one tier with one variant, every node at its last level and every link weak: the longest there is. */
  private longestResponseMs(): number {
    const state = new Uint8Array(this.state.length).fill(1);
    for (let node = 0; node < this.scenario.users + 2; node += 1) {
      const tier = this.tierOf(node);
      state[nodeOffset(node) + STATE_CPU] = this.system.cpuLevels[tier]! - 1;
      state[nodeOffset(node) + STATE_MEMORY] = this.system.memoryLevels[tier]! - 1;
    }
    const action = new Uint8Array(this.system.users);
    let worstMs = 0;
    for (let choice = 0; choice < this.system.choices; choice += 1) {
      worstMs = Math.max(worstMs, this.truth.evaluate(state, action.fill(choice), this.responseMs));
    }
    return worstMs;
  }
}
