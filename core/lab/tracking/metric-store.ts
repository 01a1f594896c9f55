import type { LabDatabase } from '../store/lab-database';
import { downsample } from './downsample';
import { MetricJournal } from './metric-journal';
import {
  compareBySteps,
  compareByTimes,
  orderedPoints,
  PointView,
  type Int64,
  type MetricPoint,
} from './points';
import { bytesOf, rowReader, type RowReader } from './rows';
import type { Metric } from './tracking-types';

/** Inclusive. */
export interface StepRange {
  readonly start: Int64;
  readonly end: Int64;
}

/** What a search and a run's page show of its metrics, and their histories. Runs go by their number in the database. */
export class MetricStore {
  private readonly journal: MetricJournal;
  private readonly readLatest: RowReader;

  constructor(private readonly database: LabDatabase) {
    this.journal = new MetricJournal(database);
    this.readLatest = rowReader(database, 'json_array(run, key, hex(latest))', 'tracking_metrics', 'run');
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

  /** The last point of every metric, as it was settled last, for many runs at once, in the order of the keys. */
  latestOf(runs: readonly number[]): ReadonlyMap<number, readonly Metric[]> {
    const latest = new Map<number, Metric[]>();
    for (const [run, key, hex] of this.readLatest(runs) as [number, string, string][]) {
      const metric = { key, ...new PointView(Buffer.from(hex, 'hex')).at(0) };
      const own = latest.get(run);
      if (own) own.push(metric);
      else latest.set(run, [metric]);
    }
    return latest;
  }

  /** All points of a metric by time, each once; none for a key that was never logged. */
  history(run: number, key: string): readonly MetricPoint[] {
    return orderedPoints(this.pointsOf(run, key), compareByTimes);
  }

  /** At most `most` points by step, the extremes among them. */
  sampled(run: number, key: string, most: number, steps?: StepRange): readonly MetricPoint[] {
    const all = orderedPoints(this.pointsOf(run, key), compareBySteps);
    const inRange = steps ? all.filter(({ step }) => step >= steps.start && step <= steps.end) : all;
    return downsample(inRange, most);
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
