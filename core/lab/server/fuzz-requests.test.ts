import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { damaged } from '../../base/test-support/mutate';
import { startTrackingServer, type TrackingServer } from './test-support/tracking-server';

const RUNS = { numRuns: process.env['SLUICE_FUZZ'] === '1' ? 2000 : 100, endOnFailure: true };

let server: TrackingServer;
let runId: string;
beforeAll(async () => {
  server = await startTrackingServer();
  ({ runId } = server.store.runs.create({ experimentId: '0', name: 'first' }).info);
});
afterAll(() => server.close());

/** Sound bodies by path; RUN stands for a run's id. */
const SOUND: Readonly<Record<string, object>> = {
  'experiments/create': { name: 'e', tags: [{ key: 'k', value: 'v' }] },
  'experiments/search': { max_results: 5, filter: "name LIKE 'a%'", order_by: ['name DESC'] },
  'runs/create': { experiment_id: '0', run_name: 'r', start_time: 1, tags: [{ key: 'k', value: 'v' }] },
  'runs/search': {
    experiment_ids: ['0'],
    filter: 'metrics.loss < 0.5',
    max_results: 10,
    order_by: ['metrics.loss ASC'],
  },
  'runs/update': { run_id: 'RUN', status: 'RUNNING', end_time: 5 },
  'runs/log-metric': { run_id: 'RUN', key: 'loss', value: 0.5, timestamp: 1, step: 2 },
  'runs/log-batch': {
    run_id: 'RUN',
    metrics: [{ key: 'loss', value: 0.5, timestamp: 1, step: 2 }],
    params: [{ key: 'lr', value: '0.1' }],
    tags: [{ key: 'k', value: 'v' }],
  },
  'runs/log-parameter': { run_id: 'RUN', key: 'lr', value: '0.1' },
  'runs/set-tag': { run_id: 'RUN', key: 'k', value: 'v' },
  'runs/log-inputs': {
    run_id: 'RUN',
    datasets: [{ dataset: { name: 'd', digest: '1', source_type: 'local', source: 's' } }],
  },
};

it('damaged requests of MLflow clients are answered or refused, and the next one is answered', async () => {
  const asked = fc
    .constantFrom(...Object.entries(SOUND))
    .chain(([path, body]) =>
      damaged(Buffer.from(JSON.stringify(body).replaceAll('RUN', runId)), 'text').map(
        (bytes) => [path, bytes] as const,
      ),
    );
  await fc.assert(
    fc.asyncProperty(asked, async ([path, bytes]) => {
      const { status, body } = await server.send('POST', path, Buffer.from(bytes).toString('utf8'));
      expect(status === 200 || (status >= 400 && status < 500), `${status} ${JSON.stringify(body)}`).toBe(
        true,
      );
      expect((await server.get(`runs/get?run_id=${runId}`)).status).toBe(200);
    }),
    { ...RUNS, numRuns: 4 * RUNS.numRuns },
  );
});
