import { SluiceError } from '../../contract';
import type { LabChanges } from '../changes/lab-changes';
import type { JobQueue } from '../jobs/queue/job-queue';
import { jobKey } from '../runs/run-store';
import type { LabDatabase } from '../store/lab-database';
import { rowReader, type RowReader } from '../tracking/rows';
import type { TrackingStore } from '../tracking/tracking-store';
import { findRunIds } from './find-runs';
import { ROW_COLUMNS, ROW_TABLES, rowOf, type RunRowJson, type StoredRow } from './run-row';

/** `LabRunChanges` as JSON. */
export interface RunRowChanges {
  readonly revision: string;
  readonly isWhole: boolean;
  readonly runs: readonly RunRowJson[];
  readonly removed: readonly string[];
}

export interface RunRowsOptions {
  readonly database: LabDatabase;
  readonly tracking: TrackingStore;
  readonly queue: JobQueue;
  readonly changes: LabChanges;
}

/** All runs of a lab as rows: what was launched, and what programs logged of themselves. */
export class RunRows {
  private readonly readRows: RowReader;
  private readonly findRun;
  private readonly readActive;
  private readonly readStages;

  constructor(private readonly options: RunRowsOptions) {
    const { database } = options;
    this.readRows = rowReader(database, `json_array(${ROW_COLUMNS})`, ROW_TABLES, 'r.number');
    this.readActive = database
      .prepare('SELECT json_group_array(number) FROM tracking_runs WHERE is_deleted = 0')
      .raw();
    this.readStages = database
      .prepare(
        'SELECT number, run_id, is_deleted FROM tracking_runs WHERE number IN (SELECT value FROM json_each(?))',
      )
      .raw();
    this.findRun = database
      .prepare(
        'SELECT number FROM tracking_runs WHERE is_deleted = 0 AND ' +
          '(run_id = ?1 OR run_id = (SELECT run_id FROM runs_launched WHERE name = ?1))',
      )
      .raw();
  }

  /** @param revision of an earlier answer; undefined, or of another opening of the lab: all there are. */
  since(revision: string | undefined): RunRowChanges {
    // Before reading: what changes meanwhile would be told again, never left out.
    const { revision: now } = this.options.changes;
    const changed = this.options.changes.runsSince(revision);
    if (!changed) {
      const [[numbers]] = this.readActive.all() as [[string]];
      return { revision: now, isWhole: true, runs: this.rows(JSON.parse(numbers) as number[]), removed: [] };
    }
    const stages = this.readStages.all([JSON.stringify(changed)]) as [number, string, number][];
    const active = stages.filter(([, , isDeleted]) => isDeleted === 0);
    return {
      revision: now,
      isWhole: false,
      runs: this.rows(active.map(([number]) => number)),
      removed: stages.filter(([, , isDeleted]) => isDeleted !== 0).map(([, runId]) => runId),
    };
  }

  /** @param reference a run id, or `user/dataset/N`. @throws SluiceError `not-found`, also for one that was removed. */
  get(reference: string): RunRowJson {
    const [found] = this.findRun.all(reference) as [number][];
    const [row] = found ? this.rows([found[0]]) : [];
    if (row) return row;
    const ref = reference.slice(0, 200);
    throw new SluiceError('not-found', `There is no run "${ref}". It may have been removed.`, { ref });
  }

  /** Ids of those that a filter in MLflow's syntax describes. @throws SluiceError `bad-input` that says where in it. */
  find(filter: string): readonly string[] {
    this.options.tracking.settle();
    return findRunIds(this.options.database, filter);
  }

  private rows(numbers: readonly number[]): readonly RunRowJson[] {
    const { tracking, queue } = this.options;
    if (numbers.length === 0) return [];
    tracking.settle();
    const { params, tags, metrics } = tracking.runs.loggedTo(numbers);
    return (this.readRows(numbers) as StoredRow[]).map((row) => {
      const [number] = row;
      const logged = {
        params: params.get(number) ?? [],
        tags: tags.get(number) ?? [],
        metrics: metrics.get(number) ?? [],
      };
      return rowOf(row, logged, (runId, attempt) => queue.get(jobKey({ runId, attempt })));
    });
  }
}
