import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../base';
import { BearerToken, DEFAULT_LIMITS, type Listener } from '../../serving';
import { ArtifactStore } from '../artifacts/artifact-store';
import { runArtifactUri } from '../artifacts/artifact-uri';
import { ModelRegistry } from '../registry/model-registry';
import { REGISTRY_SCHEMA } from '../registry/registry-schema';
import { LabDatabase } from '../store/lab-database';
import { artifactRoutes } from './artifact-routes';
import { startLabServer } from './lab-server';
import { registryRoutes } from './registry-routes';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../../..');
const DRIVER = resolve(import.meta.dirname, 'test-support/drive_mlflow_registry.py');
const TOKEN = 'a-token-of-twenty-characters';
/** The first time, the client is installed; importing it takes seconds each time. */
const SET_UP_MS = 10 * 60_000;
const DRIVE_MS = 3 * 60_000;

interface SetUp {
  readonly python?: string;
  readonly problem?: string;
}

let folder: string;
let server: Listener;
let setUp: SetUp;
beforeAll(async () => {
  const { stdout } = await run(process.execPath, [resolve(ROOT, 'scripts/mlflow-client.mjs')]);
  setUp = JSON.parse(stdout) as SetUp;
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
  // Uploads are larger than the limit of bodies.
  const limits = { ...DEFAULT_LIMITS, bodyBytes: 2 ** 20 };
  const token = new BearerToken(TOKEN);
  server = await startLabServer({ routes, token, host: '127.0.0.1', port: 0, limits });
}, SET_UP_MS);
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

const text = (part: string): unknown => expect.stringContaining(part);

describe('the official MLflow client', () => {
  it(
    'keeps artifacts and registers models',
    async (test) => {
      const { python, problem = 'no reason was given' } = setUp;
      if (python === undefined) {
        const message = `mlflow-skinny could not be installed: ${problem}`;
        if (process.env['CI'] === 'true') expect.unreachable(message);
        test.skip(message);
        return;
      }
      const { stdout } = await run(python, [DRIVER, join(folder, 'work')], {
        env: {
          ...process.env,
          MLFLOW_TRACKING_URI: `http://127.0.0.1:${server.port}`,
          MLFLOW_TRACKING_TOKEN: TOKEN,
          MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
          MLFLOW_DISABLE_TELEMETRY: 'true',
          MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR: 'false',
          GIT_PYTHON_REFRESH: 'quiet',
          PYTHONUTF8: '1',
        },
      });
      expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toEqual({
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
