import type { Int64 } from '../tracking/points';
import type {
  DatasetInput,
  Experiment,
  LoggedModel,
  Metric,
  ModelMetric,
  Page,
  Run,
  RunInfo,
} from '../tracking/tracking-types';

/** MLflow's messages as JSON: what its clients read. Fields without a value are left out. */

export function experimentJson(experiment: Experiment): object {
  const { experimentId, name, artifactLocation, lifecycleStage, createdMs, updatedMs, tags } = experiment;
  return {
    experiment_id: experimentId,
    name,
    artifact_location: artifactLocation,
    lifecycle_stage: lifecycleStage,
    creation_time: createdMs,
    last_update_time: updatedMs,
    tags,
  };
}

export function runInfoJson(info: RunInfo): object {
  const { runId, name, experimentId, userId, status, startMs, endMs, artifactUri, lifecycleStage } = info;
  return {
    run_id: runId,
    run_uuid: runId,
    run_name: name,
    experiment_id: experimentId,
    user_id: userId,
    status,
    start_time: startMs,
    end_time: endMs,
    artifact_uri: artifactUri,
    lifecycle_stage: lifecycleStage,
  };
}

export function runJson(run: Run): object {
  const { info, metrics, params, tags, datasets, modelInputs, modelOutputs } = run;
  return {
    info: runInfoJson(info),
    data: { metrics: metrics.map(metricJson), params, tags },
    inputs: {
      dataset_inputs: datasets.map(datasetInputJson),
      model_inputs: modelInputs.map((modelId) => ({ model_id: modelId })),
    },
    outputs: { model_outputs: modelOutputs.map(({ modelId, step }) => ({ model_id: modelId, step })) },
  };
}

export function metricJson({ key, value, timestampMs, step }: Metric): object {
  return { key, value: doubleJson(value), timestamp: int64Json(timestampMs), step: int64Json(step) };
}

export function modelJson(model: LoggedModel): object {
  const { modelId, experimentId, name, modelType, sourceRunId, artifactUri, status } = model;
  return {
    info: {
      model_id: modelId,
      experiment_id: experimentId,
      name,
      creation_timestamp_ms: model.createdMs,
      last_updated_timestamp_ms: model.updatedMs,
      artifact_uri: artifactUri,
      status,
      model_type: modelType,
      source_run_id: sourceRunId,
      tags: model.tags,
    },
    data: { params: model.params, metrics: model.metrics.map((metric) => modelMetricJson(metric, modelId)) },
  };
}

/** @param name of the list: `runs`, `experiments`, ... */
export function pageJson<T>(
  name: string,
  { items, nextPageToken }: Page<T>,
  json: (item: T) => object,
): object {
  return { [name]: items.map(json), next_page_token: nextPageToken };
}

function modelMetricJson(metric: ModelMetric, modelId: string): object {
  const { runId, datasetName, datasetDigest } = metric;
  return {
    ...metricJson(metric),
    model_id: modelId,
    run_id: runId,
    dataset_name: datasetName,
    dataset_digest: datasetDigest,
  };
}

export function datasetInputJson({ dataset, tags }: DatasetInput): object {
  const { name, digest, sourceType, source, schema, profile } = dataset;
  return { tags, dataset: { name, digest, source_type: sourceType, source, schema, profile } };
}

/** A text where a number would be rounded, as protobuf's JSON has it. */
export function int64Json(integer: Int64): number | string {
  return typeof integer === 'bigint' ? String(integer) : integer;
}

/** JSON has no number for NaN and the infinities. */
export function doubleJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}
