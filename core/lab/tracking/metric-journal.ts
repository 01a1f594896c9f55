import type { Statement } from 'libsql';

import type { LabDatabase } from '../store/lab-database';
import { compareBySteps, packPoints, POINT_BYTES, PointView, type MetricPoint } from './points';
import { bytesOf } from './rows';
import type { Metric } from './tracking-types';

/** Blocks below this are rewritten with what comes next, so that a series of single points does not become as many rows. */
const SMALL_BLOCK_BYTES = 512 * POINT_BYTES;
/** The journal is settled when it holds so much. */
const JOURNAL_ROWS = 4096;
const JOURNAL_POINTS = 65_536;
/** Series cost more than points: with many of them the journal may grow longer. */
const JOURNAL_POINTS_PER_SERIES = 128;
const MOST_JOURNAL_POINTS = 1_000_000;

type Blob = Uint8Array | ArrayBuffer;

/**
 * Where metric points go first: one row a call, whatever the number of keys, so that an acknowledgement waits for one
 * insertion. Settling sorts them into the blocks of their series and brings the latest points up to date. What a
 * process that died left in the journal is settled by the next one.
 */
export class MetricJournal {
  private readonly insert: Statement;
  private readonly findSeries: Statement;
  private readonly putSeries: Statement;
  private readonly findTail: Statement;
  private readonly addBlock: Statement;
  private readonly setBlock: Statement;
  private rows: number;
  private points: number;
  private mostPoints = JOURNAL_POINTS;
  private nextSeries: number;

  constructor(private readonly database: LabDatabase) {
    this.insert = database.prepare('INSERT INTO tracking_journal (run, keys, points) VALUES (?, ?, ?)');
    this.findSeries = database
      .prepare('SELECT series, latest FROM tracking_metrics WHERE run = ? AND key = ?')
      .raw();
    this.putSeries = database.prepare('INSERT OR REPLACE INTO tracking_metrics VALUES (?, ?, ?, ?, ?)');
    this.findTail = database
      .prepare(
        'SELECT id, CASE WHEN length(points) < ? THEN points END FROM tracking_blocks WHERE series = ? ' +
          'ORDER BY id DESC LIMIT 1',
      )
      .raw();
    this.addBlock = database.prepare('INSERT INTO tracking_blocks (series, points) VALUES (?, ?)');
    this.setBlock = database.prepare('UPDATE tracking_blocks SET points = ? WHERE id = ?');
    [[this.nextSeries]] = database
      .prepare('SELECT coalesce(max(series), 0) + 1 FROM tracking_blocks')
      .raw()
      .all([]) as [[number]];
    [[this.rows]] = database.prepare('SELECT count(*) FROM tracking_journal').raw().all([]) as [[number]];
    this.points = this.rows;
  }

  /** Inside the caller's transaction. */
  append(run: number, metrics: readonly Metric[]): void {
    if (metrics.length === 0) return;
    const byKey = new Map<string, Metric[]>();
    for (const metric of metrics) {
      const own = byKey.get(metric.key);
      if (own) own.push(metric);
      else byKey.set(metric.key, [metric]);
    }
    const keys = [...byKey].map(([key, { length }]) => [key, length]);
    this.insert.run([run, JSON.stringify(keys), packPoints([...byKey.values()].flat())]);
    // Counted even if the transaction is taken back: settling early does no harm.
    this.rows += 1;
    this.points += metrics.length;
  }

  settleWhenLarge(): void {
    if (this.rows >= JOURNAL_ROWS || this.points >= this.mostPoints) this.settle();
  }

  /** Not inside a transaction. */
  settle(): void {
    if (this.rows === 0) return;
    const seriesCount = this.database.transaction(() => {
      const runs = this.read();
      let count = 0;
      for (const [run, series] of runs) {
        for (const [key, parts] of series) this.extend(run, key, Buffer.concat(parts));
        count += series.size;
      }
      this.database.prepare('DELETE FROM tracking_journal').run([]);
      return count;
    });
    this.rows = 0;
    this.points = 0;
    this.mostPoints = Math.min(
      MOST_JOURNAL_POINTS,
      Math.max(JOURNAL_POINTS, seriesCount * JOURNAL_POINTS_PER_SERIES),
    );
  }

  private read(): ReadonlyMap<number, ReadonlyMap<string, readonly Uint8Array[]>> {
    const runs = new Map<number, Map<string, Uint8Array[]>>();
    const rows = this.database
      .prepare('SELECT run, keys, points FROM tracking_journal ORDER BY id')
      .raw()
      .all([]) as [number, string, Blob][];
    for (const [run, keys, blob] of rows) {
      const bytes = bytesOf(blob);
      const series = runs.get(run) ?? new Map<string, Uint8Array[]>();
      runs.set(run, series);
      let offset = 0;
      for (const [key, length] of JSON.parse(keys) as [string, number][]) {
        const part = bytes.subarray(offset, offset + length * POINT_BYTES);
        offset += part.length;
        const parts = series.get(key);
        if (parts) parts.push(part);
        else series.set(key, [part]);
      }
    }
    return runs;
  }

  private extend(run: number, key: string, points: Buffer): void {
    const [known] = this.findSeries.all([run, key]) as [number, Blob][];
    const series = known?.[0] ?? this.nextSeries++;
    const previous = known && new PointView(bytesOf(known[1])).at(0);
    const latest = latestOf(points, previous);
    if (latest !== previous) {
      const value = Number.isNaN(latest.value) ? null : latest.value;
      this.putSeries.run([run, key, series, value, packPoints([latest])]);
    }
    const [tail] = known ? (this.findTail.all([SMALL_BLOCK_BYTES, series]) as [number, Blob | null][]) : [];
    if (tail?.[1]) this.setBlock.run([Buffer.concat([bytesOf(tail[1]), points]), tail[0]]);
    else this.addBlock.run([series, points]);
  }
}

function latestOf(points: Uint8Array, previous: MetricPoint | undefined): MetricPoint {
  const view = new PointView(points);
  let latest = previous ?? view.at(0);
  for (let index = 0; index < view.length; index++) {
    const point = view.at(index);
    if (compareBySteps(point, latest) > 0) latest = point;
  }
  return latest;
}
