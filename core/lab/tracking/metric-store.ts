import type { Statement } from 'libsql';

import type { LabDatabase } from '../store/lab-database';
import { downsample } from './downsample';
import { MetricJournal } from './metric-journal';
import { orderedPoints, PointView, type Int64, type MetricPoint } from './points';
import { bytesOf } from './rows';
import type { Metric } from './tracking-types';

/** So that one row never holds all of a large page. */
const RUNS_PER_QUERY = 500;

/** Inclusive. */
export interface StepRange {
  readonly start: Int64;
  readonly end: Int64;
}

/** What a search and a run's page show of its metrics, and their histories. Runs go by their number in the database. */
export class MetricStore {
  private readonly journal: MetricJournal;
  private readonly readLatest: Statement;

  constructor(private readonly database: LabDatabase) {
    this.journal = new MetricJournal(database);
    this.readLatest = database
      .prepare(
        "SELECT json_group_array(json_array(run, key)), group_concat(hex(latest), '') FROM tracking_metrics " +
          'WHERE run IN (SELECT value FROM json_each(?))',
      )
      .raw();
  }

  /** Takes points inside the caller's transaction: with its commit they are safe. */
  append(run: number, metrics: readonly Metric[]): void {
    this.journal.append(run, metrics);
  }

  /** To be called now and then, outside of transactions, so that the journal does not grow without end. */
  settleWhenLarge(): void {
    this.journal.settleWhenLarge();
  }

  /** Makes what was taken visible to searches. Not inside a transaction. */
  settle(): void {
    this.journal.settle();
  }

  /** Inside the caller's transaction, after settling. */
  remove(run: number): void {
    this.database
      .prepare(
        'DELETE FROM tracking_blocks WHERE series IN (SELECT series FROM tracking_metrics WHERE run = ?)',
      )
      .run(run);
    this.database.prepare('DELETE FROM tracking_metrics WHERE run = ?').run(run);
  }

  /** The last point of every metric, as it was settled last, for many runs at once, in the order of the keys. */
  latestOf(runs: readonly number[]): ReadonlyMap<number, readonly Metric[]> {
    const latest = new Map<number, Metric[]>();
    for (let from = 0; from < runs.length; from += RUNS_PER_QUERY) {
      const some = JSON.stringify(runs.slice(from, from + RUNS_PER_QUERY));
      const [[keys, hex]] = this.readLatest.all([some]) as [[string, string | null]];
      const points = new PointView(Buffer.from(hex ?? '', 'hex'));
      for (const [index, [run, key]] of (JSON.parse(keys) as [number, string][]).entries()) {
        const own = latest.get(run) ?? [];
        if (own.length === 0) latest.set(run, own);
        own.push({ key, ...points.at(index) });
      }
    }
    return latest;
  }

  /** All points of a metric by time, each once; none for a key that was never logged. */
  history(run: number, key: string): PointView {
    return orderedPoints(this.pointsOf(run, key), 'times');
  }

  /** At most `most` points by step, the extremes among them. */
  sampled(run: number, key: string, most: number, steps?: StepRange): readonly MetricPoint[] {
    const all = orderedPoints(this.pointsOf(run, key), 'steps');
    if (!steps) return downsample(all, most);
    return downsample(all.slice(firstFrom(all, steps.start), firstAfter(all, steps.end)), most);
  }

  private pointsOf(run: number, key: string): Uint8Array {
    this.settle();
    const blocks = this.database
      .prepare(
        'SELECT points FROM tracking_metrics JOIN tracking_blocks USING (series) WHERE run = ? AND key = ? ' +
          'ORDER BY id',
      )
      .raw()
      .all([run, key]) as [Uint8Array | ArrayBuffer][];
    return Buffer.concat(blocks.map(([points]) => bytesOf(points)));
  }
}

/** Where the first point stands whose step is `step` or above. */
function firstFrom(points: PointView, step: Int64): number {
  return partition(points, (found) => found < step);
}

function firstAfter(points: PointView, step: Int64): number {
  return partition(points, (found) => found <= step);
}

/** How many points come before the first that is not `before`. */
function partition(points: PointView, before: (step: Int64) => boolean): number {
  let low = 0;
  let high = points.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (before(points.stepAt(middle))) low = middle + 1;
    else high = middle;
  }
  return low;
}
