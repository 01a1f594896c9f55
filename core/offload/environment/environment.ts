import type { System, SystemState } from '../scenario/system';

/** What one round of requests, one by each user, came to. Owned by the environment until the next step. */
export interface Outcome {
  /** [users], measured. */
  readonly responseMs: Float64Array;
  readonly meanResponseMs: number;
  readonly meanAccuracyPct: number;
  /**
   * The papers' reward: minus the mean response time while the mean accuracy meets the threshold, else minus the
   * longest response time there can be.
   */
  readonly rewardMs: number;
}

/**
 * Where decisions are carried out. Simulated environments answer at once, live ones with a promise; callers that
 * handle both await.
 */
export interface Environment {
  readonly system: System;
  /** The state the next step starts from; a copy. */
  observe(): SystemState | Promise<SystemState>;
  /** @param action [users] choices. @throws SluiceError `bad-input` for an action the system does not have. */
  step(action: Uint8Array, thresholdPct: number): Outcome | Promise<Outcome>;
}
