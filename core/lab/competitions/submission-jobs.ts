import type { Competition } from './competition-store';
import type { CompetitionDefinition } from './definition';
import type { TableText } from './prediction-table';

export interface InferenceRequest {
  /** Letters, digits and hyphens; the same after a restart. */
  readonly key: string;
  readonly competition: Competition;
  /** Who submits, and is charged for the job. */
  readonly user: string;
  readonly runId: string;
  /** Absent: the run's last one. */
  readonly checkpoint: string | undefined;
  /** Rows of the test part to predict; absent: all. */
  readonly onlyIds: readonly string[] | undefined;
}

export interface EvaluationRequest {
  readonly key: string;
  readonly competition: Competition;
  readonly command: readonly string[];
  readonly predictions: TableText;
  /** Rows to score; absent: all. */
  readonly onlyIds: readonly string[] | undefined;
}

/**
 * What a competition has others do, with jobs. A key that was asked for before is not run again: the answer is that of
 * the first time.
 */
export interface SubmissionJobs {
  /**
   * Looks whether a competition can be held as it is defined: the dataset is there and its owner asks, the answers are
   * hidden and usable, there are test inputs.
   * @returns the definition with the one version that the dataset's version means now.
   * @throws SluiceError `bad-input` naming every fault, `not-found`, `unauthorized`.
   */
  check(definition: CompetitionDefinition, owner: string): Promise<CompetitionDefinition>;
  /**
   * Predictions of a run's model, by a fresh job with the code and the checkpoint of the run and the inputs of the
   * dataset's test part. It is told of neither the training data nor the hidden file, and neither is laid out for it.
   * @throws SluiceError: `bad-input`, `not-found`, `runtime` or `timeout` are the submission's own fault, with a
   * message for its user; anything else is the lab's.
   */
  infer(request: InferenceRequest): Promise<TableText>;
  /** The hidden file. It stays with the evaluator. @throws SluiceError. */
  readAnswers(competition: Competition): Promise<TableText>;
  /**
   * The score by the competition's own program, which gets the predictions and the hidden file.
   * @throws SluiceError `bad-input` with a message for the user when the predictions are at fault; no other message
   * is shown to the user, because a program's output may quote the answers.
   */
  evaluate(request: EvaluationRequest): Promise<number>;
  /** The numbers of submissions of which something is kept. @throws SluiceError `io`. */
  kept(): Promise<readonly number[]>;
  /**
   * Removes what is kept of a submission that is over.
   * @param what its predictions, or all: its log, and what the engine kept of its jobs too.
   * @returns bytes freed. @throws SluiceError `io`.
   */
  clear(key: string, what: 'predictions' | 'all'): Promise<number>;
}
