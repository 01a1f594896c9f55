import type { Outcome } from '../environment/environment';
import type { Constraints } from '../learning/constraints';
import type { System, SystemState } from '../scenario/system';

/** What an agent has learned, as plain data; arrays are little-endian. */
export interface AgentMemory {
  readonly numbers: Readonly<Record<string, number>>;
  readonly arrays: Readonly<Record<string, Float32Array | Float64Array | Int32Array>>;
}

/** Decides for all users at once, and learns from what the decision came to. One owner; calls do not overlap. */
export interface Agent {
  readonly id: string;
  readonly system: System;
  /**
   * The joint action it holds best. Deterministic.
   * @param action [users], filled; within `constraints`, their threshold met whenever anything allowed meets it.
   */
  decide(state: SystemState, constraints: Constraints, action: Uint8Array): void;
  /**
   * The action for learning: now and then another than it holds best.
   * @returns whether it explores.
   */
  explore(state: SystemState, constraints: Constraints, action: Uint8Array): boolean;
  /** Learns from one real step. The arguments are only read during the call. */
  learn(state: SystemState, action: Uint8Array, outcome: Outcome, nextState: SystemState): void;
  /** The mean response time it expects, ms; undefined when it has no idea. */
  predictMs(state: SystemState, action: Uint8Array): number | undefined;
  /** The response time of one user it expects, ms; absent for agents that know means only. */
  predictUserMs?(state: SystemState, action: Uint8Array, user: number): number | undefined;
  /** What it has learned; undefined for agents that do not learn. */
  memory(): AgentMemory | undefined;
  /**
   * Takes over what another agent of its kind has learned.
   * @param users of the system it was learned on.
   * @throws SluiceError `unsupported` when that can't be used for this many users, `bad-input` when it does not fit.
   */
  restore(memory: AgentMemory, users: number): void;
}
