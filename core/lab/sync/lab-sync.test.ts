import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';

import { seededRandom, type Random } from '../../base';
import type { LoggedMetric } from '../tracking/tracking-types';
import { CuttingRelay } from './test-support/cutting-relay';
import { SyncGround, type GroundOptions } from './test-support/sync-ground';

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const ground of opened.splice(0).reverse()) await ground.close();
});

async function open(options: GroundOptions): Promise<SyncGround> {
  const ground = await SyncGround.open(options);
  opened.push(ground);
  return ground;
}

const KINDS = [
  ['another lab', false],
  ['an MLflow server', true],
] as const;

describe.each(KINDS)('forwarding to %s', (_kind, isMlflow) => {
  it('brings runs, params, tags, statuses and points', async () => {
    const [near, far] = [await open({ seed: 1 }), await open({ seed: 2, isMlflow })];
    const runId = near.run('first');
    near.log(runId, pointsOf(2500), { lr: '0.1', depth: '3' });
    near.tracking.runs.update(runId, { status: 'FINISHED', endMs: 5000 });
    await near.sync.add({ name: 'cloud', url: `${far.url}/` });
    const { sent, status } = await near.sync.now('cloud');
    expect(sent).toMatchObject({ runs: 1, points: 2500, refused: [] });
    expect(status).toMatchObject({ kind: isMlflow ? 'mlflow' : 'lab', pending: { runs: 0, points: 0 } });
    const [there] = far.runs();
    expect(there).toMatchObject({
      info: { name: 'first', status: 'FINISHED', startMs: 1000, endMs: 5000 },
      params: [
        { key: 'depth', value: '3' },
        { key: 'lr', value: '0.1' },
      ],
    });
    expect(there?.info.runId === runId).toBe(!isMlflow);
    expect(far.points(there!.info.runId)).toEqual(near.points(runId));
    expect((await near.sync.now('cloud')).sent).toMatchObject({ runs: 0, points: 0 });
  });

  it('goes on with what comes later, late points of old steps too', async () => {
    const [near, far] = [await open({ seed: 1 }), await open({ seed: 2, isMlflow })];
    await near.sync.add({ name: 'cloud', url: far.url });
    const runId = near.run('first');
    near.log(runId, pointsOf(10));
    await near.sync.now('cloud');
    near.log(runId, [{ key: 'loss', step: 3, timestampMs: 1, value: Number.NaN }]);
    near.log(runId, [{ key: 'other', step: -1, timestampMs: 2n ** 53n, value: Infinity }], { late: 'yes' });
    near.tracking.runs.update(runId, { name: 'renamed' });
    expect((await near.sync.now('cloud')).sent).toMatchObject({ runs: 1, points: 2 });
    const [there] = far.runs();
    expect(there).toMatchObject({ info: { name: 'renamed' }, params: [{ key: 'late' }] });
    expect(far.points(there!.info.runId)).toEqual(near.points(runId));
  });

  it('loses no point and doubles none over a link that breaks at any moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const [near, far] = [
          await SyncGround.open({ seed: 1 }),
          await SyncGround.open({ seed: 2, isMlflow }),
        ];
        const random = seededRandom(seed);
        const relay = await CuttingRelay.start(far.port, random);
        try {
          await near.sync.add({ name: 'cloud', url: relay.url });
          await keepLogging(near, random);
          relay.isFlaky = false;
          await near.sync.now('cloud');
          const copies = new Map(far.runs().map((run) => [run.info.name, run]));
          const originals = near.runs();
          expect(far.runs()).toHaveLength(originals.length);
          for (const { info, params } of originals) {
            const copy = copies.get(info.name)!;
            expect(copy.params).toEqual(params);
            expect(copy.info.status).toBe(info.status);
            expect(far.points(copy.info.runId)).toEqual(near.points(info.runId));
            // MLflow's unique key is what this server of ours does when it is read.
            if (!isMlflow) expect(far.storedPoints(copy.info.runId)).toEqual(near.storedPoints(info.runId));
          }
        } finally {
          await relay.close();
          await near.close();
          await far.close();
        }
      }),
      { numRuns: 15 },
    );
  }, 120_000);
});

/** Logs at random, and tries to forward in between. */
async function keepLogging(near: SyncGround, random: Random): Promise<void> {
  const runs: string[] = [];
  for (let turn = 0; turn < 12; turn++) {
    if (runs.length === 0 || random() < 0.3) runs.push(near.run(`run ${runs.length}`));
    const runId = runs[Math.floor(random() * runs.length)]!;
    const from = Math.floor(random() * 50);
    near.log(runId, pointsOf(1 + Math.floor(random() * 60), from, turn), { [`p${turn}`]: String(turn) });
    if (random() < 0.3) near.tracking.runs.update(runId, { status: 'FINISHED', endMs: turn });
    if (random() < 0.7) await near.sync.now('cloud').catch(() => undefined);
  }
}

function pointsOf(count: number, from = 0, timestampMs = 7): readonly LoggedMetric[] {
  return Array.from({ length: count }, (_, index) => ({
    key: index % 3 === 0 ? 'accuracy' : 'loss',
    step: from + index,
    timestampMs,
    value: Math.sin(from + index),
  }));
}
