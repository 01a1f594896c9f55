import type { StoredRun } from './run-store';

/** Where jobs find the lab. */
export interface LabAddress {
  /** `http://127.0.0.1:5050`. */
  readonly url: string;
  readonly token?: string | undefined;
}

/** Where a run's files are on the node it runs on; absent: it has none. */
export interface RunPlaces {
  readonly dataset?: string | undefined;
  readonly checkpoint?: string | undefined;
}

/**
 * The environment of a run. MLflow's own client reads the first ones, so that a program logs to its run with no line of
 * ours (mlflow.org, "Environment variables"). What the request sets comes last, and wins.
 */
export function runEnvironment(
  run: StoredRun,
  address: LabAddress,
  { dataset, checkpoint }: RunPlaces,
): Readonly<Record<string, string>> {
  return {
    MLFLOW_TRACKING_URI: address.url,
    MLFLOW_REGISTRY_URI: address.url,
    MLFLOW_RUN_ID: run.runId,
    MLFLOW_EXPERIMENT_ID: run.experimentId,
    ...(address.token !== undefined && { MLFLOW_TRACKING_TOKEN: address.token }),
    SLUICE_RUN: run.name,
    SLUICE_ATTEMPT: String(run.attempt),
    ...(dataset !== undefined && { SLUICE_DATASET: dataset }),
    ...(checkpoint !== undefined && { SLUICE_CHECKPOINT: checkpoint }),
    // MLflow's client reports its use to its makers otherwise.
    MLFLOW_DISABLE_TELEMETRY: 'true',
    // Lines are seen when they are written, not when a buffer is full.
    PYTHONUNBUFFERED: '1',
    ...run.plan.environment,
  };
}
