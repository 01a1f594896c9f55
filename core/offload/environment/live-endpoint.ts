import type { TierName } from '../scenario/schema';

/** Where the time of one inference went, one stage after the other; on the device only `computeMs` and `queueMs`. */
export interface StageTimes {
  readonly sendMs: number;
  /** Until the server began to compute, the way there included. */
  readonly queueMs: number;
  readonly computeMs: number;
  readonly receiveMs: number;
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

export interface LiveInference {
  /** From asking to having the answer. */
  readonly responseMs: number;
  readonly stages: StageTimes;
}

/** Something that answers requests: the device itself, or a server somewhere. Inputs are the implementation's own. */
export interface LiveEndpoint {
  /** Unique among the endpoints. */
  readonly id: string;
  readonly tier: TierName;
  offers(variantId: string): boolean;
  /** Runs one inference for a user. Inferences change nothing, so one may be asked for twice. @throws when it can't. */
  infer(user: number, variantId: string, signal: AbortSignal): Promise<LiveInference>;
}

/** An endpoint that did not answer a request, or not in time. */
export interface FailedAttempt {
  readonly tier: TierName;
  readonly endpointId: string;
  /** `slow`: it took far longer than it used to, so another was asked beside it. */
  readonly reason: 'failed' | 'slow';
  readonly error: string;
  /** Since the request was made. */
  readonly startMs: number;
  /** Until it failed, or was given up on. */
  readonly lostMs: number;
}

/** What became of one user's request. */
export interface Answer {
  /** Absent when nobody answered. */
  readonly by?: {
    readonly tier: TierName;
    readonly endpointId: string;
    /** Since the request was made: later than 0 when others were asked first. */
    readonly startMs: number;
    readonly stages: StageTimes;
  };
  /** All attempts together; the deadline when nobody answered. */
  readonly responseMs: number;
  readonly failures: readonly FailedAttempt[];
}
