import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { seededRandom, systemClock } from '../../base';
import { ArtifactStore } from '../artifacts/artifact-store';
import { ModelRegistry } from '../registry/model-registry';
import { REGISTRY_SCHEMA } from '../registry/registry-schema';
import { LabDatabase } from '../store/lab-database';
import { TRACKING_SCHEMA } from '../tracking/tracking-schema';
import { TrackingStore } from '../tracking/tracking-store';
import { artifactRoutes } from './artifact-routes';
import { registryRoutes } from './registry-routes';
import { trackingRoutes } from './tracking-routes';
import { DRIVE_MS, MlflowDriven, SET_UP_MS } from './test-support/mlflow-client';

let folder: string;
let lab: MlflowDriven;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-mlflow-registry-'));
  mkdirSync(join(folder, 'work'));
  const database = LabDatabase.open(':memory:', [TRACKING_SCHEMA, REGISTRY_SCHEMA]);
  const trackingOptions = { clock: systemClock, random: seededRandom(5), artifactRoot: 'mlflow-artifacts:/' };
  const tracking = new TrackingStore(database, trackingOptions);
  const artifactUriOf = (runId: string): string => tracking.runs.get(runId).info.artifactUri;
  const registry = new ModelRegistry({
    database,
    clock: systemClock,
    lookup: { artifactUriOf, loggedModelUri: (id) => tracking.models.get(id).artifactUri },
    onListenerFault: () => undefined,
  });
  const store = await ArtifactStore.open(folder);
  const routes = [
    artifactRoutes({ store, artifactUriOf, stallMs: 30_000 }),
    registryRoutes(registry),
    trackingRoutes(tracking),
  ];
  lab = await MlflowDriven.start(routes);
}, SET_UP_MS);
afterAll(async () => {
  await lab.close();
  rmSync(folder, { recursive: true });
});

describe('the official MLflow client', () => {
  it(
    'logs, registers and loads back',
    async (test) => {
      expect(await lab.drive(test, 'drive_mlflow_whole.py', join(folder, 'work'))).toEqual({
        artifacts: ['config.json', 'model', 'notes.txt'],
        below: ['model/weights.txt'],
        text: 'kept',
        dict: { a: 1 },
        loaded: 'weights',
        uri: true,
        again: 'weights',
      });
    },
    DRIVE_MS,
  );
});
