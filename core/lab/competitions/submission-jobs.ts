import type { CompetitionDefinition } from './definition';
import type { TableText } from './prediction-table';

export interface InferenceRequest {
  /** Letters, digits and hyphens; the same after a restart. */
  readonly key: string;
  readonly competition: CompetitionDefinition;
  readonly runId: string;
  /** Absent: the run's last one. */
  readonly checkpoint: string | undefined;
  /** Rows of the test part to predict; absent: all. */
  readonly onlyIds: readonly string[] | undefined;
}

export interface EvaluationRequest {
  readonly key: string;
  readonly competition: CompetitionDefinition;
  readonly command: readonly string[];
  readonly predictions: TableText;
  /** Rows to score; absent: all. */
  readonly onlyIds: readonly string[] | undefined;
}

/**
 * What a competition has others do; the host implements it with jobs. A key that was asked for before is not run
 * again: the answer is that of the first time.
 */
export interface SubmissionJobs {
  /**
   * Predictions of a run's model, by a fresh job with the code and the checkpoint of the run and the inputs of the
   * dataset's test part. Neither the training data nor the hidden file is anywhere the job can reach.
   * @throws SluiceError: `bad-input`, `not-found`, `runtime` or `timeout` are the submission's own fault, with a
   * message for its user; anything else is the lab's.
   */
  infer(request: InferenceRequest): Promise<TableText>;
  /** The hidden file. It stays with the evaluator. @throws SluiceError. */
  readAnswers(competition: CompetitionDefinition): Promise<TableText>;
  /**
   * The score by the competition's own program, which gets the predictions and the hidden file.
   * @throws SluiceError `bad-input` with a message for the user when the predictions are at fault; no other message
   * is shown to the user, because a program's output may quote the answers.
   */
  evaluate(request: EvaluationRequest): Promise<number>;
}
