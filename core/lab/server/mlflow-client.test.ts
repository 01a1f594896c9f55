import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { seededRandom, systemClock } from '../../base';
import { BearerToken, DEFAULT_LIMITS, type Listener } from '../../serving';
import { LabDatabase } from '../store/lab-database';
import { TRACKING_SCHEMA } from '../tracking/tracking-schema';
import { TrackingStore } from '../tracking/tracking-store';
import { startLabServer } from './lab-server';
import { trackingRoutes } from './tracking-routes';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '../../..');
const DRIVER = resolve(import.meta.dirname, 'test-support/drive_mlflow.py');
const TOKEN = 'a-token-of-twenty-characters';
/** The first time, the client is installed; importing it takes seconds each time. */
const SET_UP_MS = 10 * 60_000;
const DRIVE_MS = 3 * 60_000;

interface SetUp {
  readonly python?: string;
  readonly problem?: string;
}

let server: Listener;
let setUp: SetUp;
beforeAll(async () => {
  const { stdout } = await run(process.execPath, [resolve(ROOT, 'scripts/mlflow-client.mjs')]);
  setUp = JSON.parse(stdout) as SetUp;
  const database = LabDatabase.open(':memory:', [TRACKING_SCHEMA]);
  const options = { clock: systemClock, random: seededRandom(5), artifactRoot: 'mlflow-artifacts:/' };
  const routes = [trackingRoutes(new TrackingStore(database, options))];
  const token = new BearerToken(TOKEN);
  server = await startLabServer({ routes, token, host: '127.0.0.1', port: 0, limits: DEFAULT_LIMITS });
}, SET_UP_MS);
afterAll(() => server.close());

const text = (part: string): unknown => expect.stringContaining(part);

describe('the official MLflow client', () => {
  it(
    'tracks runs and finds them again',
    async (test) => {
      const { python, problem = 'no reason was given' } = setUp;
      if (python === undefined) {
        const message = `mlflow-skinny could not be installed: ${problem}`;
        if (process.env['CI'] === 'true') expect.unreachable(message);
        test.skip(message);
        return;
      }
      const { stdout } = await run(python, [DRIVER], {
        env: {
          ...process.env,
          MLFLOW_TRACKING_URI: `http://127.0.0.1:${server.port}`,
          MLFLOW_TRACKING_TOKEN: TOKEN,
          MLFLOW_HTTP_REQUEST_MAX_RETRIES: '0',
          MLFLOW_DISABLE_TELEMETRY: 'true',
          GIT_PYTHON_REFRESH: 'quiet',
        },
      });
      expect(JSON.parse(stdout.trim().split('\n').at(-1)!)).toEqual({
        experiment: ['digits', true],
        changed: ['INVALID_PARAMETER_VALUE', text('"lr" is "0.1", found "0.2"')],
        badKey: [
          'INVALID_PARAMETER_VALUE',
          text('params[0].value (of "b"): expected at most 6000 characters'),
        ],
        params: { lr: '0.1', 'batch size': '32', optimizer: 'adam' },
        metrics: { loss: '0.2', accuracy: '0.9', nothing: 'nan', everything: 'inf' },
        tags: { team: 'vision', note: "it's 50% done", 'mlflow.runName': 'first' },
        staged: false,
        info: ['FINISHED', 'active', true],
        history: [0, 1, 2, 3, 4].map((step) => [step, 1 / (step + 1)]),
        long: 1000,
        far: [true, true],
        inputs: [['cifar', 'd1', 'train']],
        found: [
          ['first'],
          ['second'],
          ['first', 'nested'],
          ['first', 'second'],
          ['nested'],
          ['first'],
          ['second'],
        ],
        badFilter: ['INVALID_PARAMETER_VALUE', text('filter, character 15: expected a number')],
        pages: [2, 1, null],
        deleted: ['renamed'],
        restored: ['renamed', 'FAILED'],
        experiments: [['numbers', { owner: 'kim' }]],
        nobody: [null, ['RESOURCE_DOES_NOT_EXIST', text('There is no run with the id "ffff')]],
        model: ['net', 'READY', { depth: '3' }, 'vit', [0.7], [[true, 3]]],
      });
    },
    DRIVE_MS,
  );
});
