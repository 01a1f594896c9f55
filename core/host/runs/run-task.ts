import type { PlanDetail, RunResult, TraceColumns } from '../../contract';
import type { InferenceFigures } from './run-stats';

/** One answer of a task. Result and trace are made when asked for: a continuous run shows few of them. */
export interface TaskAnswer extends InferenceFigures {
  /** Where the input decides how much there is to do: the prediction for what was done. */
  readonly predictedMs?: number;
  readonly result: () => RunResult;
  readonly trace: (runId: string) => TraceColumns;
}

/** A model (or two) loaded for a run, with its input prepared. */
export interface RunTask {
  readonly plan: PlanDetail;
  /** Whether what it runs on has run before. */
  readonly isWarm: boolean;
  /** @throws SluiceError `cancelled`, and what the engine throws. */
  infer(signal: AbortSignal): Promise<TaskAnswer>;
  /** Gives the models back. */
  release(): void;
}
