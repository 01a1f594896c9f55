import { expect, it } from 'vitest';

import { runEnvironment } from './run-environment';
import type { StoredRun } from './run-store';

const run = (environment: Readonly<Record<string, string>> = {}): StoredRun =>
  ({
    ...{ runId: 'r1', experimentId: '2', name: 'ann/digits/1', attempt: 3 },
    plan: { environment },
  }) as unknown as StoredRun;
const address = { url: 'http://127.0.0.1:5050', token: 'secret' };

it('points MLflow’s client at the lab, and tells it to report to nobody else', () => {
  expect(runEnvironment(run(), address, { dataset: '/data' })).toEqual({
    MLFLOW_TRACKING_URI: 'http://127.0.0.1:5050',
    MLFLOW_REGISTRY_URI: 'http://127.0.0.1:5050',
    MLFLOW_RUN_ID: 'r1',
    MLFLOW_EXPERIMENT_ID: '2',
    MLFLOW_TRACKING_TOKEN: 'secret',
    MLFLOW_DISABLE_TELEMETRY: 'true',
    SLUICE_RUN: 'ann/digits/1',
    SLUICE_ATTEMPT: '3',
    SLUICE_DATASET: '/data',
    PYTHONUNBUFFERED: '1',
  });
});

it('what the run sets wins', () => {
  const environment = { MLFLOW_DISABLE_TELEMETRY: 'false', OWN: 'x' };
  expect(runEnvironment(run(environment), address, {})).toMatchObject(environment);
});
