import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { seededRandom } from '../../base';
import { CuttingRelay } from './test-support/cutting-relay';
import { isMlflowServerInstalled, MLFLOW_START_MS, MlflowServer } from './test-support/mlflow-server';
import { SyncGround } from './test-support/sync-ground';

const SEEDS = 4;
const TEST_MS = 300_000;

const runsSchema = z.object({
  runs: z
    .array(
      z.object({
        info: z.object({
          run_id: z.string(),
          run_name: z.string(),
          status: z.string(),
          artifact_uri: z.string(),
        }),
        data: z.object({
          params: z.array(z.object({ key: z.string(), value: z.string() })).default([]),
          metrics: z.array(z.object({ key: z.string() })).default([]),
        }),
      }),
    )
    .default([]),
});
const historySchema = z.object({
  metrics: z.array(
    z.object({
      value: z.union([z.number(), z.string()]),
      timestamp: z.number(),
      step: z.number().default(0),
    }),
  ),
});

/** Where `node scripts/mlflow-server.mjs` was run before. */
describe.skipIf(!isMlflowServerInstalled).each(['sqlite', 'files'] as const)(
  "MLflow's own server with its store in %s",
  (store) => {
    let far: MlflowServer;
    beforeAll(async () => {
      far = await MlflowServer.start(store);
    }, MLFLOW_START_MS);
    afterAll(() => far.stop());

    it(
      'has every point once, over a link that breaks at any moment',
      async () => {
        for (let seed = 1; seed <= SEEDS; seed++) {
          const near = await SyncGround.open({ seed });
          const random = seededRandom(seed);
          const relay = await CuttingRelay.start(far.port, random);
          try {
            await near.sync.add({ name: 'cloud', url: relay.url });
            const experiment = `cut ${seed}`;
            const runId = near.run('only', experiment);
            for (let turn = 0; turn < 15; turn++) {
              const points = Array.from({ length: 1 + Math.floor(random() * 40) }, (_, index) => ({
                ...{
                  key: index % 2 ? 'loss' : 'acc',
                  step: Math.floor(random() * 100),
                  timestampMs: turn * 100 + index,
                },
                value: index === 7 ? Number.NaN : random(),
              }));
              near.log(runId, points, { [`p${turn}`]: String(turn) });
              await near.sync.now('cloud').catch(() => undefined);
            }
            near.tracking.runs.update(runId, { status: 'FINISHED', endMs: 9000 });
            relay.isFlaky = false;
            const { status } = await near.sync.now('cloud');
            expect(status).toMatchObject({ kind: 'mlflow', pending: { points: 0, runs: 0 } });
            expect(relay.cuts).toBeGreaterThan(0);
            const [run, ...more] = await runsOf(far, experiment);
            expect(more).toEqual([]);
            expect(run).toMatchObject({ info: { run_name: 'only', status: 'FINISHED' } });
            expect(run!.data.params).toHaveLength(15);
            expect(await pointsOf(far, run!)).toEqual(near.points(runId));
          } finally {
            await relay.close();
            await near.close();
          }
        }
      },
      TEST_MS,
    );

    it(
      'takes files, logged models and versions',
      async () => {
        const near = await SyncGround.open({ seed: 50 });
        try {
          const runId = near.run('content', 'content');
          const { experimentId } = near.tracking.runs.get(runId).info;
          await near.write(runId, 'plots/a b.txt', 'words');
          const { models } = near.tracking;
          const { modelId, artifactUri } = models.create({ experimentId, name: 'net', sourceRunId: runId });
          near.tracking.runs.addOutputs(runId, [{ modelId, step: 3 }]);
          near.log(runId, [{ key: 'acc', value: Infinity, step: 1, timestampMs: 5, modelId }]);
          await near.writeTo(artifactUri, 'weights.bin', 'weights');
          models.finalize(modelId, 'LOGGED_MODEL_READY');
          near.registry.models.create('digits');
          near.registry.versions.create({ model: 'digits', source: `runs:/${runId}/plots`, runId });
          near.registry.versions.create({
            ...{ model: 'digits', source: `models:/${modelId}`, runId, loggedModel: modelId },
          });
          near.registry.versions.setAlias('digits', 'best', 2);
          await near.sync.add({ name: 'cloud', url: far.url });
          const { sent } = await near.sync.now('cloud');
          expect(sent).toMatchObject({ refused: [], runs: 1, files: 2, modelVersions: 2 });
          const [run] = await runsOf(far, 'content');
          const file = await fetch(
            `${far.url}/get-artifact?run_id=${run!.info.run_id}&path=${encodeURIComponent('plots/a b.txt')}`,
          );
          expect(await file.text()).toBe('words');
          const best = await far.get('registered-models/alias', { name: 'digits', alias: 'best' });
          expect(best).toMatchObject({ model_version: { version: '2', run_id: run!.info.run_id } });
          expect((await near.sync.now('cloud')).sent).toMatchObject({ runs: 0, files: 0, modelVersions: 0 });
        } finally {
          await near.close();
        }
      },
      TEST_MS,
    );
  },
);

type FarRun = z.output<typeof runsSchema>['runs'][number];

async function runsOf(far: MlflowServer, experiment: string): Promise<readonly FarRun[]> {
  const found = await far.get('experiments/get-by-name', { experiment_name: experiment });
  const { experiment_id: id } = (found as { experiment: { experiment_id: string } }).experiment;
  return runsSchema.parse(await far.post('runs/search', { experiment_ids: [id] })).runs;
}

async function pointsOf(far: MlflowServer, { info, data }: FarRun): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const { key } of data.metrics) {
    const history = await far.get('metrics/get-history', { run_id: info.run_id, metric_key: key });
    for (const { value, timestamp, step } of historySchema.parse(history).metrics)
      texts.push(`${key} ${step} ${timestamp} ${value}`);
  }
  return texts.sort();
}
