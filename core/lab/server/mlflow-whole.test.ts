import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { seededRandom, systemClock } from '../../base';
import { BearerToken, DEFAULT_LIMITS, type Listener } from '../../serving';
import { ArtifactStore } from '../artifacts/artifact-store';
import { ModelRegistry } from '../registry/model-registry';
import { REGISTRY_SCHEMA } from '../registry/registry-schema';
import { LabDatabase } from '../store/lab-database';
import { TRACKING_SCHEMA } from '../tracking/tracking-schema';
import { TrackingStore } from '../tracking/tracking-store';
import { artifactRoutes } from './artifact-routes';
import { startLabServer } from './lab-server';
import { registryRoutes } from './registry-routes';
import { trackingRoutes } from './tracking-routes';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../../..');
const DRIVER = resolve(import.meta.dirname, 'test-support/drive_mlflow_whole.py');
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
  // Uploads are larger than the limit of bodies.
  const limits = { ...DEFAULT_LIMITS, bodyBytes: 2 ** 20 };
  const token = new BearerToken(TOKEN);
  server = await startLabServer({ routes, token, host: '127.0.0.1', port: 0, limits });
}, SET_UP_MS);
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('the official MLflow client', () => {
  it(
    'logs, registers and loads back',
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
