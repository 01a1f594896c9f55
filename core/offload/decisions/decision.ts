/** One alternative for one user, the others' choices kept. */
export interface Candidate {
  readonly user: number;
  /** `edge d4` */
  readonly choice: string;
  /** Of the system. */
  readonly choiceNumber: number;
  /** Predicted response time of this user with it, ms; absent when the agent has no idea. */
  readonly predictedMs?: number;
  /** Predicted mean response time of all users with it, ms; absent when the agent has no idea. */
  readonly predictedMeanMs?: number;
  /** Mean accuracy of all users with it. */
  readonly meanAccuracyPct: number;
  readonly chosen: boolean;
  /** Why it could not be chosen. */
  readonly barred?: 'below-threshold' | 'pinned' | 'endpoint-down' | 'not-offered';
}

export type DecisionReason =
  | 'best-known' // the lowest predicted mean response time that meets the threshold
  | 'explored' // another action, to learn
  | 'exploration-capped' // it would have explored, but the cap was reached
  | 'threshold-out-of-reach'; // pins or dead endpoints leave nothing that meets it: the most accurate action

/** What was decided for one round of requests. */
export interface Decision {
  /** Of the log that keeps it; rises. */
  readonly id: number;
  readonly atMs: number;
  readonly agent: string;
  readonly state: Uint8Array;
  readonly thresholdPct: number;
  /** [users] */
  readonly action: Uint8Array;
  readonly reason: DecisionReason;
  /** Users whose choice a person pinned. */
  readonly pinnedUsers: readonly number[];
  readonly meanAccuracyPct: number;
  readonly predictedMeanMs?: number;
}
