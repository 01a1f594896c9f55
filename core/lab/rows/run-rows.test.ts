import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { seededRandom, type Clock } from '../../base';
import { SluiceError } from '../../contract';
import { LabChanges } from '../changes/lab-changes';
import { COMPETITIONS_SCHEMA } from '../competitions/competition-store';
import { datasetSchema } from '../datasets/dataset-schema';
import { JobQueue } from '../jobs/queue/job-queue';
import { JOBS_SCHEMA } from '../jobs/queue/queue-store';
import { REGISTRY_SCHEMA } from '../registry/registry-schema';
import { LaunchedRuns, RUNS_SCHEMA } from '../runs/run-store';
import { SEARCH_SCHEMA } from '../search/driver/search-store';
import { TRIALS_SCHEMA, TrialRunStore } from '../search/runs/trial-run-store';
import { LabDatabase } from '../store/lab-database';
import { TRACKING_SCHEMA } from '../tracking/tracking-schema';
import { TrackingStore } from '../tracking/tracking-store';
import type { RunRowJson } from './run-row';
import { RunRows } from './run-rows';

const SCHEMAS = [
  TRACKING_SCHEMA,
  REGISTRY_SCHEMA,
  datasetSchema,
  JOBS_SCHEMA,
  RUNS_SCHEMA,
  SEARCH_SCHEMA,
  TRIALS_SCHEMA,
  COMPETITIONS_SCHEMA,
];
const still: Clock = { nowMs: () => 1_000_000, after: () => () => undefined };

let database: LabDatabase;
let queue: JobQueue;
beforeEach(() => {
  database = LabDatabase.open(':memory:', SCHEMAS);
});
afterEach(async () => {
  await queue.close();
  database.close();
});

function open() {
  const tracking = new TrackingStore(database, {
    clock: still,
    random: seededRandom(1),
    artifactRoot: 'mlflow-artifacts:/',
  });
  queue = new JobQueue({ database, engines: [], clock: still });
  const changes = new LabChanges(database, still, 'epoch');
  const launched = new LaunchedRuns(database);
  const trials = new TrialRunStore(database);
  return { tracking, changes, launched, trials, rows: new RunRows({ database, tracking, queue, changes }) };
}
type Bench = ReturnType<typeof open>;

function byId(rows: readonly RunRowJson[]): Map<string, RunRowJson> {
  return new Map(rows.map((row) => [row.runId, row]));
}

/** Something that happens in a lab to one of its runs. */
type Step = (bench: Bench, runIds: string[], pick: number) => void;

const runOf = (runIds: readonly string[], pick: number): string => runIds[pick % runIds.length]!;
const batch = (runId: string) => ({ runId, metrics: [], params: [], tags: [] });
let counter = 0;

const STEPS: Readonly<Record<string, Step>> = {
  create: ({ tracking }, runIds) => {
    const { info } = tracking.runs.create({ experimentId: '0', startMs: (counter += 1) });
    runIds.push(info.runId);
  },
  launch: ({ tracking, launched }, runIds) => {
    const { info } = tracking.runs.create({ experimentId: '0' });
    runIds.push(info.runId);
    launched.insert({
      runId: info.runId,
      name: `ann/none/${(counter += 1)}`,
      user: 'ann',
      experimentId: '0',
      stage: 'preparing',
      reason: undefined,
      attempt: 1,
      createdMs: counter,
      plan: {
        entry: 'train.py',
        args: ['--lr', '0.1'],
        environment: {},
        resources: { cpus: 1, gpus: 0, memoryBytes: 1 },
        engine: 'local',
        priority: 0,
      },
    });
  },
  break: ({ launched }, runIds, pick) => launched.setStage(runOf(runIds, pick), 'broken', 1, 'no room'),
  metric: ({ tracking }, runIds, pick) =>
    tracking.logBatch({
      ...batch(runOf(runIds, pick)),
      metrics: [{ key: `m${pick % 3}`, value: pick % 7 === 0 ? NaN : pick, step: pick, timestampMs: 0 }],
    }),
  param: ({ tracking }, runIds, pick) =>
    tracking.logBatch({ ...batch(runOf(runIds, pick)), params: [{ key: `p${pick}`, value: 'x' }] }),
  tag: ({ tracking }, runIds, pick) =>
    tracking.logBatch({ ...batch(runOf(runIds, pick)), tags: [{ key: 't', value: String(pick) }] }),
  refused: ({ tracking }, runIds, pick) =>
    tracking.logBatch({
      ...batch(runOf(runIds, pick)),
      params: [{ key: 'p', value: String(pick) }],
      tags: [{ key: 't', value: 'never' }],
    }),
  untag: ({ tracking }, runIds, pick) => tracking.runs.deleteTag(runOf(runIds, pick), 't'),
  end: ({ tracking }, runIds, pick) =>
    void tracking.runs.update(runOf(runIds, pick), { status: 'FINISHED', endMs: pick }),
  rename: ({ tracking }, runIds, pick) =>
    void tracking.runs.update(runOf(runIds, pick), { name: `n${pick}` }),
  delete: ({ tracking }, runIds, pick) => tracking.runs.delete(runOf(runIds, pick)),
  restore: ({ tracking }, runIds, pick) => tracking.runs.restore(runOf(runIds, pick)),
  purge: ({ tracking }, runIds, pick) => {
    tracking.runs.delete(runOf(runIds, pick));
    tracking.purge(runOf(runIds, pick));
  },
  trial: ({ trials }, runIds, pick) =>
    trials.setRun({
      key: `k${pick}`,
      search: 's',
      trial: 1,
      metric: 'm',
      startResource: 0,
      untilResource: 1,
      runId: runOf(runIds, pick),
    }),
  discard: ({ trials }) => trials.remove('s'),
  renameExperiment: ({ tracking }, _runIds, pick) => tracking.experiments.rename('0', `e${pick}`),
};

const steps = fc.array(
  fc.record({
    what: fc.constantFrom(...Object.keys(STEPS)),
    pick: fc.nat(1000),
    /** Whoever looks, looks now. */
    isLookedAt: fc.boolean(),
  }),
  { maxLength: 40 },
);

describe('rows of runs', () => {
  it('what was known, with what changed since, is all there is', () => {
    const bench = open();
    fc.assert(
      fc.property(steps, (doings) => {
        const first = bench.rows.since(undefined);
        expect(first.isWhole).toBe(true);
        const known = byId(first.runs);
        const runIds = [...known.keys()];
        let { revision } = first;
        for (const { what, pick, isLookedAt } of doings) {
          if (runIds.length === 0 && what !== 'create') continue;
          try {
            STEPS[what]!(bench, runIds, pick);
          } catch (thrown) {
            // Of a deleted run, or one without the tag.
            if (!(thrown instanceof SluiceError)) throw thrown;
          }
          if (!isLookedAt) continue;
          const changes = bench.rows.since(revision);
          expect(changes.isWhole).toBe(false);
          for (const row of changes.runs) known.set(row.runId, row);
          for (const runId of changes.removed) known.delete(runId);
          revision = changes.revision;
          expect(known).toEqual(byId(bench.rows.since(undefined).runs));
        }
      }),
    );
  });

  it('tells one change only, and nothing again', () => {
    const { tracking, rows } = open();
    for (let at = 0; at < 3; at += 1) tracking.runs.create({ experimentId: '0' });
    const { info } = tracking.runs.create({ experimentId: '0' });
    const { revision } = rows.since(undefined);
    tracking.logBatch({ ...batch(info.runId), params: [{ key: 'lr', value: '1' }] });
    const changes = rows.since(revision);
    expect(changes.runs.map(({ runId }) => runId)).toEqual([info.runId]);
    expect(rows.since(changes.revision)).toEqual({ ...changes, runs: [] });
  });

  it.each(['', 'other.1', 'epoch.', 'epoch.x', 'epoch.999999', 'epoch.-1', '1'])(
    'gives everything to whoever knows revision %j',
    (revision) => {
      const { tracking, rows } = open();
      tracking.runs.create({ experimentId: '0' });
      expect(rows.since(revision)).toMatchObject({ isWhole: true, runs: [{ state: 'logged' }] });
    },
  );
});
