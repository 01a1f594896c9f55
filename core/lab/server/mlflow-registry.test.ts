import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../base';
import { ArtifactStore } from '../artifacts/artifact-store';
import { runArtifactUri } from '../artifacts/artifact-uri';
import { ModelRegistry } from '../registry/model-registry';
import { REGISTRY_SCHEMA } from '../registry/registry-schema';
import { LabDatabase } from '../store/lab-database';
import { artifactRoutes } from './artifact-routes';
import { registryRoutes } from './registry-routes';
import { DRIVE_MS, MlflowDriven, SET_UP_MS } from './test-support/mlflow-client';

let folder: string;
let lab: MlflowDriven;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-mlflow-registry-'));
  mkdirSync(join(folder, 'work'));
  const artifactUriOf = (runId: string) => runArtifactUri('0', runId);
  const registry = new ModelRegistry({
    database: LabDatabase.open(':memory:', [REGISTRY_SCHEMA]),
    clock: systemClock,
    lookup: { artifactUriOf, loggedModelUri: () => undefined },
    onListenerFault: () => undefined,
  });
  const store = await ArtifactStore.open(folder);
  const routes = [artifactRoutes({ store, artifactUriOf, stallMs: 30_000 }), registryRoutes(registry)];
  lab = await MlflowDriven.start(routes);
}, SET_UP_MS);
afterAll(async () => {
  await lab.close();
  rmSync(folder, { recursive: true });
});

const text = (part: string): unknown => expect.stringContaining(part);

describe('the official MLflow client', () => {
  it(
    'keeps artifacts and registers models',
    async (test) => {
      expect(await lab.drive(test, 'drive_mlflow_registry.py', join(folder, 'work'))).toEqual({
        nothing: [],
        files: [
          [
            ['extra', true, null],
            ['größe.txt', false, 5],
            ['model', true, null],
          ],
          [
            ['model/MLmodel', false, 12],
            ['model/data', true, null],
          ],
          [['extra/deep/größe.txt', false, 5]],
          [],
          [],
        ],
        same: [true, true, true],
        text: 'grün',
        parts: [['parts/MLmodel', false, 12]],
        deleted: [[], [404, 'RESOURCE_DOES_NOT_EXIST']],
        // The client's own words around the server's.
        missing: ['INTERNAL_ERROR', text('there is no such artifact')],
        twice: ['RESOURCE_ALREADY_EXISTS', text('"net" already exists')],
        model: ['network', 'second', { team: 'edge' }],
        models: [['network', 'other'], ['network'], ['other']],
        pages: [['network'], ['other']],
        badFilter: ['INVALID_PARAMETER_VALUE', text('Filter, at character 4: expected a comparison')],
        local: ['INVALID_PARAMETER_VALUE', text('not a path of some machine')],
        version: ['changed', { precision: 'fp16' }, 'READY', true, true],
        uri: true,
        versions: [[1, 2, 3], [3, 2], [3]],
        stages: ['Production', 'Archived'],
        latest: [[2], [1, 2, 3]],
        alias: [2, ['champion'], { champion: 2 }],
        loaded: ['MLmodel', 'weights 1.bin'],
        copied: ['other', 1, true],
        noAlias: ['INVALID_PARAMETER_VALUE', text('alias "champion"')],
        prompt: [1, 'Say {{word}}', false],
        gone: ['RESOURCE_DOES_NOT_EXIST', text('none of that number')],
        left: ['other'],
      });
    },
    DRIVE_MS,
  );
});
