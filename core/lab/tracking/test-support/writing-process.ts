/**
 * Logs to a store for as long as it lives, and tells what was acknowledged: a line `run WRITER ID`, and with each batch
 * `points WRITER COUNT PARAMS`. Arguments: the file, a seed.
 */
import { writeSync } from 'node:fs';

import { seededRandom } from '../../../base';
import { LabDatabase } from '../../store/lab-database';
import { GroupCommit } from '../group-commit';
import { TRACKING_SCHEMA } from '../tracking-schema';
import { TrackingStore } from '../tracking-store';

const WRITERS = 4;
const MOST_POINTS = 40;
const clock = { nowMs: () => 1, after: () => () => undefined };

const [, , path = '', seed = ''] = process.argv;
const random = seededRandom(Number(seed));

/** At once: what was told is told, whatever happens to this process next. */
function tell(...words: readonly (string | number)[]): void {
  writeSync(1, `${words.join(' ')}\n`);
}

async function write(writer: number, store: TrackingStore, commits: GroupCommit): Promise<void> {
  const { runId } = store.runs.create({ experimentId: '0' }).info;
  tell('run', writer, runId);
  for (let points = 0, params = 0; ;) {
    const metrics = Array.from({ length: 1 + Math.floor(random() * MOST_POINTS) }, (_, index) => ({
      key: 'loss',
      value: points + index,
      step: points + index,
      timestampMs: points + index,
    }));
    if (random() < 0.05) store.settle();
    await commits.log({ runId, metrics, params: [{ key: `p${params}`, value: 'x' }], tags: [] });
    points += metrics.length;
    params += 1;
    tell('points', writer, points, params);
  }
}

tell('opens');
const database = LabDatabase.open(path, [TRACKING_SCHEMA]);
const store = new TrackingStore(database, { clock, random, artifactRoot: 'file:/a' });
const commits = new GroupCommit(store);
for (let writer = 0; writer < WRITERS; writer += 1) void write(writer, store, commits);
