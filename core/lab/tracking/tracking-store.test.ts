import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../base';
import { LabDatabase } from '../store/lab-database';
import { TRACKING_SCHEMA } from './tracking-schema';
import { TrackingStore } from './tracking-store';
import type { KeyValue, LoggedMetric } from './tracking-types';

const clock = { nowMs: () => 1234.5, after: () => () => undefined };

function newStore(): { store: TrackingStore; database: LabDatabase } {
  const database = LabDatabase.open(':memory:', [TRACKING_SCHEMA]);
  return { database, store: reopened(database) };
}

function reopened(database: LabDatabase): TrackingStore {
  return new TrackingStore(database, { clock, random: seededRandom(1), artifactRoot: 'mlflow-artifacts:/' });
}

const metric = (key: string, value: number, step = 0, timestampMs = step): LoggedMetric => ({
  key,
  value,
  step,
  timestampMs,
});
const param = (key: string, value: string): KeyValue => ({ key, value });
const NOTHING = { metrics: [], params: [], tags: [] };

describe('experiments', () => {
  it('has the default one from the start, and keeps it over restarts', () => {
    const { store, database } = newStore();
    expect(store.experiments.get('0')).toEqual({
      experimentId: '0',
      name: 'Default',
      artifactLocation: 'mlflow-artifacts:/0',
      lifecycleStage: 'active',
      createdMs: 1234,
      updatedMs: 1234,
      tags: [],
    });
    store.experiments.rename('0', 'Mine');
    expect(reopened(database).experiments.get('0').name).toBe('Mine');
  });

  it('creates, finds, renames and tags', () => {
    const { store } = newStore();
    const id = store.experiments.create('one', { tags: [param('team', 'a')] });
    const other = store.experiments.create('other', { artifactLocation: 's3://bucket/there' });
    expect([id, other]).toEqual(['1', '2']);
    store.experiments.rename(id, 'first');
    store.experiments.setTag(id, param('team', 'b'));
    store.experiments.setTag(id, param('area', 'vision'));
    store.experiments.deleteTag(id, 'area');
    expect(store.experiments.getByName('first')).toMatchObject({
      experimentId: '1',
      artifactLocation: 'mlflow-artifacts:/1',
      tags: [param('team', 'b')],
    });
    expect(store.experiments.get(other).artifactLocation).toBe('s3://bucket/there');
  });

  it('deletes and restores with the runs', () => {
    const { store } = newStore();
    const id = store.experiments.create('one');
    const { runId } = store.runs.create({ experimentId: id }).info;
    store.experiments.delete(id);
    expect(store.experiments.get(id).lifecycleStage).toBe('deleted');
    expect(store.runs.get(runId).info.lifecycleStage).toBe('deleted');
    expect(() => store.runs.create({ experimentId: id })).toThrow(/Experiment 1 is deleted. Restore it/);
    expect(() => store.experiments.create('one')).toThrow(
      /"one" already, with the id 1. It is deleted: restore/,
    );
    store.experiments.restore(id);
    expect(store.runs.get(runId).info.lifecycleStage).toBe('active');
  });

  it.each([
    [
      'an empty name',
      (store: TrackingStore) => store.experiments.create(' '),
      /^name: expected .* found an empty/,
    ],
    [
      'a taken name',
      (store: TrackingStore) => store.experiments.create('Default'),
      /"Default" already, with the id 0/,
    ],
    [
      'a long name',
      (store: TrackingStore) => store.experiments.create('x'.repeat(501)),
      /at most 500 .* found 501/,
    ],
    [
      'an id that is not there',
      (store: TrackingStore) => store.experiments.get('7'),
      /no experiment with the id "7"/,
    ],
    ['an id that is none', (store: TrackingStore) => store.experiments.get('0 OR 1'), /with the id "0 OR 1"/],
    ['a name that is not there', (store: TrackingStore) => store.experiments.getByName('a'), /named "a"/],
    [
      'a tag that is not there',
      (store: TrackingStore) => store.experiments.deleteTag('0', 'a'),
      /has no tag "a"/,
    ],
    [
      'restoring an active one',
      (store: TrackingStore) => store.experiments.restore('0'),
      /0 is active already/,
    ],
  ])('refuses %s', (_what, act, message) => {
    expect(() => act(newStore().store)).toThrow(message);
  });
});

describe('runs', () => {
  it('starts, changes, deletes and restores', () => {
    const { store } = newStore();
    const run = store.runs.create({ experimentId: '0', startMs: 5, tags: [param('mlflow.user', 'kim')] });
    const { runId, name } = run.info;
    expect(runId).toMatch(/^[0-9a-f]{32}$/);
    expect(run.info).toEqual({
      runId,
      name: `run-${runId.slice(0, 8)}`,
      experimentId: '0',
      userId: 'kim',
      status: 'RUNNING',
      startMs: 5,
      endMs: undefined,
      artifactUri: `mlflow-artifacts:/0/${runId}/artifacts`,
      lifecycleStage: 'active',
    });
    expect(run.tags).toContainEqual(param('mlflow.runName', name));
    const changed = store.runs.update(runId, { status: 'FINISHED', endMs: 9, name: 'best' });
    expect(changed).toMatchObject({ status: 'FINISHED', startMs: 5, endMs: 9, name: 'best' });
    expect(store.runs.get(runId).tags).toContainEqual(param('mlflow.runName', 'best'));
    store.runs.delete(runId);
    expect(() => store.logBatch({ runId, ...NOTHING })).toThrow(/is deleted: expected an active one/);
    store.runs.restore(runId);
    store.logBatch({ runId, ...NOTHING, tags: [param('mlflow.runName', 'again')] });
    expect(store.runs.get(runId).info).toMatchObject({ lifecycleStage: 'active', name: 'again' });
  });

  it('does not let params be changed, and writes nothing of such a batch', () => {
    const { store } = newStore();
    const { runId } = store.runs.create({ experimentId: '0', name: 'a' }).info;
    store.logBatch({ runId, ...NOTHING, params: [param('lr', '0.1'), param('depth', '3')] });
    store.logBatch({ runId, ...NOTHING, params: [param('lr', '0.1')] });
    const batch = { runId, metrics: [metric('loss', 1)], params: [param('new', 'x'), param('lr', '0.2')] };
    expect(() => store.logBatch({ ...batch, tags: [param('t', 'x')] })).toThrow(
      /Params of a run can't be changed, and run \w+ has: "lr" is "0.1", found "0.2"/,
    );
    expect(store.runs.get(runId)).toMatchObject({
      metrics: [],
      params: [param('depth', '3'), param('lr', '0.1')],
      tags: [param('mlflow.runName', 'a')],
    });
  });

  it('refuses one of several batches and takes the others', () => {
    const { store } = newStore();
    const runIds = [1, 2].map(() => store.runs.create({ experimentId: '0' }).info.runId);
    const failures = store.logBatches([
      { runId: runIds[0]!, ...NOTHING, metrics: [metric('loss', 1)] },
      { runId: 'nobody', ...NOTHING, metrics: [metric('loss', 2)] },
      { runId: runIds[1]!, ...NOTHING, metrics: [metric('loss', 3)] },
    ]);
    expect(failures.map((failure) => failure?.message)).toEqual([
      undefined,
      'There is no run with the id "nobody".',
      undefined,
    ]);
    expect(runIds.map((runId) => store.runs.get(runId).metrics[0]?.value)).toEqual([1, 3]);
  });

  it('keeps any text, and replaces halves of characters', () => {
    const { store } = newStore();
    const half = 'a\ud800b';
    const texts = ['a\0b', '😀', "it's", '', '\\ud800', '"', '\n'];
    const { runId } = store.runs.create({
      experimentId: '0',
      name: half,
      userId: half,
      tags: [param('t', half)],
    }).info;
    const params = [...texts, half].map((text, index) => param(`p${index}`, text));
    for (let again = 0; again < 2; again++) store.logBatch({ runId, ...NOTHING, params });
    const dataset = { name: half, digest: half, sourceType: half, source: half, schema: half, profile: half };
    store.logInputs(runId, [{ dataset, tags: [param(half, half)] }]);
    store.experiments.create(half, { artifactLocation: half, tags: [param('t', half)] });
    const whole = 'a\ufffdb';
    expect(store.runs.get(runId)).toMatchObject({
      info: { name: whole, userId: whole },
      params: [...texts, whole].map((text, index) => param(`p${index}`, text)),
      datasets: [{ dataset: { name: whole, profile: whole }, tags: [param(whole, whole)] }],
    });
    const filter = `params.p7 = '${half}' AND run_name LIKE '${half}%' AND status NOT IN ('${half}')`;
    expect(store.runs.search({ experimentIds: ['0'], filter }).items.length).toBeLessThan(2);
    expect(() => store.runs.get(half)).toThrow(/no run with the id/);
    expect(store.experiments.search({ filter: `name = '${half}'`, orderBy: [] }).items.length).toBeLessThan(
      2,
    );
  });

  it('keeps what a run read, each dataset once', () => {
    const { store } = newStore();
    const { runId } = store.runs.create({ experimentId: '0' }).info;
    const dataset = { name: 'cifar', digest: 'abc', sourceType: 'local', source: '{}', schema: '{}' };
    const input = {
      dataset: { ...dataset, profile: undefined },
      tags: [param('mlflow.data.context', 'train')],
    };
    store.logInputs(runId, [input]);
    store.logInputs(runId, [input], ['m-1']);
    expect(store.runs.get(runId)).toMatchObject({ datasets: [input], modelInputs: ['m-1'] });
  });

  it.each([
    [
      '1001 metrics',
      { metrics: Array.from({ length: 1001 }, () => metric('a', 1)) },
      /at most 1000 metrics .* 1001/,
    ],
    [
      '101 params',
      { params: Array.from({ length: 101 }, (_, n) => param(`p${n}`, '')) },
      /at most 100 params/,
    ],
    ['101 tags', { tags: Array.from({ length: 101 }, (_, n) => param(`p${n}`, '')) }, /at most 100 tags/],
    [
      '1001 entities',
      { metrics: Array.from({ length: 1000 }, () => metric('a', 1)), tags: [param('t', '')] },
      /at most 1000 metrics, params and tags/,
    ],
    [
      'a long key',
      { params: [param('x'.repeat(251), '')] },
      /params\[0\].key: expected at most 250 .* found 251/,
    ],
    [
      'a long param',
      { params: [param('x', 'y'.repeat(6001))] },
      /params\[0\].value \(of "x"\): expected at most 6000/,
    ],
    [
      'a long tag',
      { tags: [param('x', 'y'.repeat(8001))] },
      /tags\[0\].value \(of "x"\): expected at most 8000/,
    ],
    [
      'a key twice',
      { params: [param('x', '1'), param('x', '1')] },
      /each key once, found "x" more than once/,
    ],
    ['a path out', { metrics: [metric('../x', 1)] }, /metrics\[0\].key: expected letters.*found "\.\.\/x"/],
    ['an absolute path', { tags: [param('/x', '')] }, /tags\[0\].key/],
    ['an empty part', { params: [param('a//b', '')] }, /params\[0\].key/],
    ['an empty key', { metrics: [metric('a', 1), metric('', 1)] }, /metrics\[1\].key/],
    ['a quote', { params: [param("a'b", '')] }, /found "a'b"/],
  ])('refuses %s', (_what, part, message) => {
    const { store } = newStore();
    const { runId } = store.runs.create({ experimentId: '0' }).info;
    expect(() => store.logBatch({ runId, ...NOTHING, ...part })).toThrow(message);
    expect(store.runs.get(runId)).toMatchObject({ metrics: [], params: [] });
  });
});

describe('metrics', () => {
  const VALUES = [0, -0, 1.5, -2, NaN, Infinity, -Infinity, 5e-324, Number.MAX_VALUE];
  const point = fc.record({
    key: fc.constantFrom('a', 'b/c', '__proto__', '7'),
    value: fc.constantFrom(...VALUES),
    step: fc.constantFrom(0, 1, 2, -5, 2 ** 40, -(2n ** 63n), 2n ** 63n - 1n),
    timestampMs: fc.constantFrom(0, 1, 1.7e12, 2n ** 60n + 1n),
  });

  it('gives back every point once, by time, and the latest by step', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(point, { maxLength: 30 }), { maxLength: 5 }),
        fc.boolean(),
        (batches, again) => {
          const { store, database } = newStore();
          const { runId } = store.runs.create({ experimentId: '0' }).info;
          for (const metrics of batches) {
            store.logBatch({ runId, ...NOTHING, metrics });
            if (again) store.settle();
          }
          const later = reopened(database);
          const expected = new Map<string, LoggedMetric[]>();
          for (const logged of batches.flat())
            expected.set(logged.key, [...(expected.get(logged.key) ?? []), logged]);
          for (const [key, points] of expected) {
            const byTime = sorted(unique(points), ({ timestampMs, step, value }) => [
              timestampMs,
              step,
              value,
            ]);
            expect([...later.history(runId, key)]).toEqual(byTime.map(({ key: _key, ...rest }) => rest));
          }
          const latest = [...expected].map(([, points]) =>
            sorted(points, ({ timestampMs, step, value }) => [step, timestampMs, value]).at(-1)!,
          );
          const byKey = sorted(latest, ({ key }) => [key]);
          expect(later.runs.get(runId).metrics).toEqual(byKey);
        },
      ),
    );
  });

  it('keeps single points in few blocks', () => {
    const { store, database } = newStore();
    const { runId } = store.runs.create({ experimentId: '0' }).info;
    for (let step = 0; step < 1200; step++) {
      store.logBatch({ runId, ...NOTHING, metrics: [metric('a', step, step)] });
      store.settle();
    }
    expect(store.history(runId, 'a')).toHaveLength(1200);
    expect(database.prepare('SELECT length(points) / 24 FROM tracking_blocks').raw().all([])).toEqual([
      [512],
      [512],
      [176],
    ]);
  });
});

function unique(points: readonly LoggedMetric[]): readonly LoggedMetric[] {
  // -0 and 0 are one value, as they are for MLflow's stores.
  const keyed = points.map(
    (point) => [`${point.step} ${point.timestampMs} ${point.value + 0}`, point] as const,
  );
  return [...new Map([...keyed].reverse()).values()];
}

/** Of equal ones the first. */
function sorted<T>(
  items: readonly T[],
  keysOf: (item: T) => readonly (number | bigint | string)[],
): readonly T[] {
  return [...items].sort((a, b) => {
    const [left, right] = [keysOf(a), keysOf(b)];
    for (const [index, one] of left.entries()) {
      const other = right[index]!;
      if (Number.isNaN(one) || Number.isNaN(other))
        return Number(Number.isNaN(one)) - Number(Number.isNaN(other));
      if (one < other) return -1;
      if (one > other) return 1;
    }
    return 0;
  });
}
