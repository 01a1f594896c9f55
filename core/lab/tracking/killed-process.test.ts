import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { seededRandom } from '../../base';
import { LabDatabase } from '../store/lab-database';
import { TRACKING_SCHEMA } from './tracking-schema';
import { TrackingStore } from './tracking-store';
import type { LoggedMetric } from './tracking-types';

const folder = mkdtempSync(join(tmpdir(), 'sluice-tracking-killed-'));
afterAll(() => rmSync(folder, { recursive: true }));

const clock = { nowMs: () => 1, after: () => () => undefined };
const CALLS = 200;

function open(path: string): { store: TrackingStore; database: LabDatabase } {
  const database = LabDatabase.open(path, [TRACKING_SCHEMA]);
  return {
    database,
    store: new TrackingStore(database, { clock, random: seededRandom(1), artifactRoot: 'file:/a' }),
  };
}

/** The files as a process leaves them that is killed `part` of the way through writing what the log gained since `start`. */
function asKilled(path: string, copy: string, start: number, part: number): void {
  copyFileSync(path, copy);
  const log = readFileSync(`${path}-wal`);
  writeFileSync(`${copy}-wal`, log.subarray(0, start + Math.floor((log.length - start) * part)));
}

describe('a process that is killed', () => {
  it('has lost nothing that it acknowledged, wherever it was', () => {
    const path = join(folder, 'lab.db');
    const { store, database } = open(path);
    // So that the log only grows, and what was cut off of it is what was written last.
    database.prepare('PRAGMA wal_autocheckpoint = 0').all([]);
    const random = seededRandom(7);
    const { runId } = store.runs.create({ experimentId: '0' }).info;
    let logged = 0;
    for (let call = 0; call < CALLS; call++) {
      const before = statSync(`${path}-wal`).size;
      const metrics: LoggedMetric[] = Array.from({ length: 1 + Math.floor(random() * 50) }, (_, index) => ({
        key: 'loss',
        value: logged + index,
        step: logged + index,
        timestampMs: logged + index,
      }));
      if (random() < 0.2) store.settle();
      const acknowledged = logged;
      store.logBatch({ runId, metrics, params: [{ key: `p${call}`, value: 'x' }], tags: [] });
      logged += metrics.length;
      // Another file each time: SQLite shares what it knows of one between connections.
      const copy = join(folder, `copy-${call}.db`);
      asKilled(path, copy, before, random());
      const found = open(copy);
      const steps = [...found.store.history(runId, 'loss')].map(({ step }) => Number(step));
      // What was on its way may be there, whole, or not at all.
      expect([acknowledged, logged]).toContain(steps.length);
      expect(steps).toEqual(Array.from({ length: steps.length }, (_, step) => step));
      expect([call, call + 1]).toContain(found.store.runs.get(runId).params.length);
      found.database.close();
    }
    database.close();
  });

  it('leaves a log whose end is rubbish', () => {
    const [path, copy] = [join(folder, 'rubbish.db'), join(folder, 'rubbish-copy.db')];
    const { store, database } = open(path);
    const { runId } = store.runs.create({ experimentId: '0' }).info;
    store.logBatch({
      runId,
      metrics: [{ key: 'a', value: 1, step: 1, timestampMs: 1 }],
      params: [],
      tags: [],
    });
    asKilled(path, copy, 0, 1);
    const file = openSync(`${copy}-wal`, 'a');
    writeSync(file, Buffer.alloc(5000, 0xab));
    closeSync(file);
    const found = open(copy);
    expect(found.store.runs.get(runId).metrics).toHaveLength(1);
    found.database.close();
    database.close();
  });
});
