import type { SluiceError } from '../../../contract';
import type { TrialCheckpoint, TrialOutcome } from '../algorithms/algorithm';
import type { Parameters } from '../space/search-space';

export interface TrialTask {
  /** Letters, digits and hyphens; another one each time a trial goes on. */
  readonly key: string;
  readonly search: string;
  readonly trial: number;
  readonly parameters: Parameters;
  /** Name of the metric that is wanted. */
  readonly metric: string;
  /** Reports up to it are known already; 0 from nothing. */
  readonly startResource: number;
  /** Training ends there by itself, if it can, after a checkpoint. */
  readonly untilResource: number;
  /** A checkpoint is wanted at each multiple of so much too. */
  readonly checkpointEvery?: number;
}

/** Calls may come again, as after an interruption: what is known already is passed over. Never from within the call that got it. */
export interface TrialListener {
  /** In order of resource. @param metric NaN for a trial that diverged. */
  report(resource: number, metric: number): void;
  /** The training ended by itself. @param reason for people, of a failure. */
  ended(outcome: TrialOutcome, reason?: string): void;
}

/**
 * How trials are run; the host implements it with runs. A task that was started before, by its key, is not started
 * again: the listener is attached to it and hears what came since `startResource`, its end too.
 */
export interface TrialRunner {
  /**
   * A new trial, from nothing or from another's checkpoint; that one is held when the promise resolves.
   * @throws SluiceError `unavailable` or `overloaded` when nothing can be run now: the search is then interrupted and
   * tries it again when it goes on; anything else is the trial's failure.
   */
  start(task: TrialTask, from: TrialCheckpoint | undefined, listener: TrialListener): Promise<void>;
  /** A paused trial goes on from its own checkpoint at `startResource`. @throws as `start`. */
  resume(task: TrialTask, listener: TrialListener): Promise<void>;
  /** Resolves when it has ended, also when it had before; checkpoints stay. The listener hears no more. */
  stop(key: string): Promise<void>;
  /** Nobody asks for the trial's checkpoints again. May be said again. */
  discard(search: string, trial: number): Promise<void>;
}

/** Told of what goes wrong beside the search. */
export type OnFault = (error: SluiceError) => void;
