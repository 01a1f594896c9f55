import type { MetricPoint } from './points';

export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED';
export type LifecycleStage = 'active' | 'deleted';
/** Which of the deleted and the others a search looks at. */
export type ViewType = 'ACTIVE_ONLY' | 'DELETED_ONLY' | 'ALL';

/** A param or a tag. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface Experiment {
  /** Decimal digits; `0` is the one named Default, there from the start. */
  readonly experimentId: string;
  readonly name: string;
  readonly artifactLocation: string;
  readonly lifecycleStage: LifecycleStage;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly tags: readonly KeyValue[];
}

export interface RunInfo {
  /** 32 hexadecimal digits. */
  readonly runId: string;
  readonly name: string;
  readonly experimentId: string;
  readonly userId: string;
  readonly status: RunStatus;
  readonly startMs: number | undefined;
  readonly endMs: number | undefined;
  readonly artifactUri: string;
  readonly lifecycleStage: LifecycleStage;
}

export interface Metric extends MetricPoint {
  readonly key: string;
}

export interface Run {
  readonly info: RunInfo;
  /** The last point of each metric: of the highest step, then the latest time, then the largest value. */
  readonly metrics: readonly Metric[];
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  readonly datasets: readonly DatasetInput[];
  /** Ids of logged models the run used. */
  readonly modelInputs: readonly string[];
  readonly modelOutputs: readonly ModelOutput[];
}

export interface Dataset {
  readonly name: string;
  readonly digest: string;
  readonly sourceType: string;
  readonly source: string;
  readonly schema?: string | undefined;
  readonly profile?: string | undefined;
}

/** A dataset a run used; the tag `mlflow.data.context` says for what. */
export interface DatasetInput {
  readonly dataset: Dataset;
  readonly tags: readonly KeyValue[];
}

export interface ModelOutput {
  readonly modelId: string;
  readonly step: number;
}

/** A metric of a run, and what it was measured on. */
export interface LoggedMetric extends Metric {
  readonly modelId?: string | undefined;
  readonly datasetName?: string | undefined;
  readonly datasetDigest?: string | undefined;
}

/** What one call logs to a run. */
export interface RunBatch {
  readonly metrics: readonly LoggedMetric[];
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
}

/** One page of a search; `nextPageToken` is there when there are more. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextPageToken?: string;
}

export type ModelStatus = 'LOGGED_MODEL_PENDING' | 'LOGGED_MODEL_READY' | 'LOGGED_MODEL_UPLOAD_FAILED';

/** What MLflow 3 clients keep for each model they log. */
export interface LoggedModel {
  /** `m-` and 32 hexadecimal digits. */
  readonly modelId: string;
  readonly experimentId: string;
  readonly name: string;
  readonly modelType: string | undefined;
  readonly sourceRunId: string | undefined;
  readonly artifactUri: string;
  readonly status: ModelStatus;
  readonly createdMs: number;
  readonly updatedMs: number;
  readonly params: readonly KeyValue[];
  readonly tags: readonly KeyValue[];
  readonly metrics: readonly ModelMetric[];
}

/** The last point of a metric that a run measured on a model. */
export interface ModelMetric extends Metric {
  readonly runId: string;
  readonly datasetName: string | undefined;
  readonly datasetDigest: string | undefined;
}
