import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { seededRandom, systemClock } from '../../base';
import { LabDatabase } from '../store/lab-database';
import { TRACKING_SCHEMA } from '../tracking/tracking-schema';
import { TrackingStore } from '../tracking/tracking-store';
import { trackingRoutes } from './tracking-routes';
import { DRIVE_MS, MlflowDriven, SET_UP_MS } from './test-support/mlflow-client';

let lab: MlflowDriven;
beforeAll(async () => {
  const database = LabDatabase.open(':memory:', [TRACKING_SCHEMA]);
  const options = { clock: systemClock, random: seededRandom(5), artifactRoot: 'mlflow-artifacts:/' };
  const routes = [trackingRoutes(new TrackingStore(database, options))];
  lab = await MlflowDriven.start(routes);
}, SET_UP_MS);
afterAll(() => lab.close());

const text = (part: string): unknown => expect.stringContaining(part);

describe('the official MLflow client', () => {
  it(
    'tracks runs and finds them again',
    async (test) => {
      expect(await lab.drive(test, 'drive_mlflow.py')).toEqual({
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
