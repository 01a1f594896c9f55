import { SluiceError } from '../../contract';
import type { LabDatabase } from '../store/lab-database';
import { POINT_BYTES, PointView, type MetricPoint } from '../tracking/points';
import type { BatchOfRun, TrackingStore } from '../tracking/tracking-store';
import type { LoggedMetric } from '../tracking/tracking-types';
import { portionsOf } from './mlflow-api';
import type { OfferedRun, SentPoints, TakenRunAnswer } from './sync-protocol';

/** What one logged batch may hold. */
const POINTS_PER_BATCH = 1000;

interface Origin {
  readonly sender: string;
  readonly origin: string;
}

/** Takes what other labs forward. */
export class SyncReceiver {
  constructor(
    private readonly database: LabDatabase,
    private readonly tracking: TrackingStore,
  ) {}

  /** Makes the run if it is not here. A run is taken from one lab only: two would count its points apart. */
  takeRun({ sender, origin, ...run }: OfferedRun): TakenRunAnswer {
    const { runId } = run;
    const known = this.originOf(runId);
    const isHere = this.isHere(runId);
    if (isHere && known?.sender !== sender) return { isTaken: false, artifactUri: '' };
    if (!isHere) {
      // Noted before: a run that is here and not noted would be another's.
      this.database
        .prepare('INSERT OR REPLACE INTO sync_received_runs VALUES (?, ?, ?)')
        .run([runId, sender, origin]);
      this.tracking.runs.create(run);
    }
    return { isTaken: true, artifactUri: this.tracking.runs.get(runId).info.artifactUri };
  }

  /**
   * Logs points and how many there are then, in one transaction.
   * @throws SluiceError `not-found` (a run this lab does not have from the sender), `bad-input` (a deleted run, a wrong key).
   */
  takePoints({ sender, runId, series }: SentPoints): {
    readonly taken: readonly (readonly [string, number])[];
  } {
    if (this.originOf(runId)?.sender !== sender) {
      throw new SluiceError('not-found', `Run ${runId} was not taken from the lab ${sender}.`);
    }
    const before = this.takenOf(runId);
    const later = series.filter(({ key, from }) => from <= (before.get(key) ?? 0));
    const overlapping = later.filter(({ key, from }) => from < (before.get(key) ?? 0));
    // Asked outside of the transaction: histories are settled for it.
    const there = new Map(overlapping.map(({ key }) => [key, this.identitiesOf(runId, key)]));
    const taken = new Map(series.map(({ key }) => [key, before.get(key) ?? 0]));
    const metrics = later.flatMap(({ key, from, points }) => {
      taken.set(key, Math.max(taken.get(key) ?? 0, from + points.length / POINT_BYTES));
      const known = there.get(key);
      const all = [...new PointView(points)];
      return (known ? all.filter((point) => !known.has(identityOf(point))) : all).map((point) => ({
        key,
        ...point,
      }));
    });
    this.tracking.logDecided(() => {
      for (const [key, points] of taken) this.setTaken(runId, key, points);
      return batchesOf(runId, metrics);
    });
    return { taken: [...taken] };
  }

  /** Undefined for a run that was made here. */
  originOf(runId: string): Origin | undefined {
    const [row] = this.database
      .prepare('SELECT sender, origin FROM sync_received_runs WHERE run_id = ?')
      .raw()
      .all([runId]) as [string, string][];
    return row && { sender: row[0], origin: row[1] };
  }

  private isHere(runId: string): boolean {
    return this.database.prepare('SELECT 1 FROM tracking_runs WHERE run_id = ?').all([runId]).length > 0;
  }

  private identitiesOf(runId: string, key: string): ReadonlySet<string> {
    return new Set(Array.from(this.tracking.history(runId, key), identityOf));
  }

  private takenOf(runId: string): ReadonlyMap<string, number> {
    const rows = this.database
      .prepare('SELECT key, points FROM sync_received_series WHERE run_id = ?')
      .raw()
      .all([runId]) as [string, number][];
    return new Map(rows);
  }

  private setTaken(runId: string, key: string, points: number): void {
    this.database
      .prepare('INSERT OR REPLACE INTO sync_received_series VALUES (?, ?, ?)')
      .run([runId, key, points]);
  }
}

function batchesOf(runId: string, metrics: readonly LoggedMetric[]): readonly BatchOfRun[] {
  const portions = metrics.length === 0 ? [[]] : portionsOf(metrics, POINTS_PER_BATCH);
  return portions.map((some) => ({ runId, metrics: some, params: [], tags: [] }));
}

function identityOf({ step, timestampMs, value }: MetricPoint): string {
  return `${step}/${timestampMs}/${value}`;
}
