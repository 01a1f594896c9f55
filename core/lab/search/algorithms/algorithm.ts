import type { GivenParameters, Parameters, SearchSpace } from '../space/search-space';

/** A checkpoint: that of `trial` when it reported `resource`. */
export interface TrialCheckpoint {
  readonly trial: number;
  readonly resource: number;
}

export interface Trial {
  /** 0, 1, ... in the order of their first suggestion. */
  readonly id: number;
  readonly parameters: Parameters;
  /** It began from another trial's checkpoint, not from nothing. */
  readonly from?: TrialCheckpoint;
}

/** Training to do: of a new trial, or of one that was paused. Resources are in the unit of the search: epochs, steps, ... */
export interface Assignment {
  readonly trial: Trial;
  /** Where it goes on; 0 from nothing. */
  readonly startResource: number;
  /** It ends there at the latest, with a checkpoint. */
  readonly untilResource: number;
  /** A checkpoint is wanted at each multiple of so much too. */
  readonly checkpointEvery?: number;
}

/** `wait`: nothing before another event; `done`: nothing any more. Neither changes anything. */
export type Suggestion = Assignment | 'wait' | 'done';
/** `pause`: end it, it may go on from its last report later; `stop`: end it for good. */
export type Advice = 'go-on' | 'pause' | 'stop';
/** How a trial ended that was not told to. */
export type TrialOutcome = 'completed' | 'failed';

/**
 * Which trials are where, each in one pool. `live`: in training, or about to go on; `stop`: paused, and may go on;
 * `dead`: nobody asks for their checkpoints again; `finished`: as far as the search takes any.
 */
export type Pool = 'live' | 'stop' | 'dead' | 'finished';
export type Pools = Readonly<Record<Pool, readonly number[]>>;

/** What there is to search, and with how much. */
export interface SearchProblem {
  readonly space: SearchSpace;
  /** No trial goes beyond it. */
  readonly maxResource: number;
  /** Of all trials together. */
  readonly budget: number;
  readonly maxTrials: number;
  /** Trials that can be in training at a time. */
  readonly parallel: number;
  readonly seed: number;
  /** Of the first trials that begin from nothing; what they leave out is drawn. */
  readonly first?: readonly GivenParameters[];
}

/**
 * How a search decides. Deterministic: the same calls get the same answers. Scores are larger where better, whatever
 * the metric's direction; `-Infinity` is a trial that diverged.
 */
export interface SearchAlgorithm {
  /** @param affordable what is left of the budget after what trials in training may still use; no assignment takes more. */
  suggest(affordable: number): Suggestion;
  /** Of a live trial, resources ever larger. At an assignment's end the advice is `pause` or `stop`. */
  report(trial: number, resource: number, score: number): Advice;
  /** Of a live trial that ended by itself. */
  ended(trial: number, outcome: TrialOutcome): void;
  pools(): Pools;
}
