import { z } from 'zod';

import { SluiceError } from '../../../contract';
import type { AreaSchema, LabDatabase } from '../../store/lab-database';
import { keptTrialPlanSchema, type TrialPlan } from './launch-plan';

export const TRIALS_SCHEMA: AreaSchema = {
  area: 'trials',
  steps: [
    `CREATE TABLE trials_plans (search TEXT PRIMARY KEY, plan TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE trials_runs (
      key TEXT PRIMARY KEY, search TEXT NOT NULL, trial INTEGER NOT NULL, metric TEXT NOT NULL,
      start_resource REAL NOT NULL, until_resource REAL NOT NULL, run_id TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX trials_runs_of ON trials_runs (search, trial)`,
    'CREATE INDEX trials_runs_by_run ON trials_runs (run_id)',
  ],
};

/** The run of a trial, or of a part of one: each time it goes on is another. */
export interface TrialRun {
  /** Of its task. */
  readonly key: string;
  readonly search: string;
  readonly trial: number;
  /** The name of the one that is wanted. */
  readonly metric: string;
  readonly startResource: number;
  readonly untilResource: number;
  readonly runId: string;
}

const rowSchema = z
  .object({
    key: z.string(),
    search: z.string(),
    trial: z.number(),
    metric: z.string(),
    start_resource: z.number(),
    until_resource: z.number(),
    run_id: z.string(),
  })
  .transform(
    ({ start_resource: startResource, until_resource: untilResource, run_id: runId, ...row }): TrialRun => ({
      ...row,
      startResource,
      untilResource,
      runId,
    }),
  );

/** Which runs are trials, and how those of a search are launched. */
export class TrialRunStore {
  constructor(private readonly database: LabDatabase) {}

  setPlan(search: string, plan: TrialPlan): void {
    this.database
      .prepare('INSERT OR REPLACE INTO trials_plans VALUES (?, ?)')
      .run(search, JSON.stringify(plan));
  }

  /** @throws SluiceError `not-found`. */
  planOf(search: string): TrialPlan {
    const [row] = this.database.prepare('SELECT plan FROM trials_plans WHERE search = ?').all(search) as {
      plan: string;
    }[];
    if (row) return keptTrialPlanSchema.parse(JSON.parse(row.plan));
    throw new SluiceError('not-found', `No runs are launched for a search "${search}".`, { search });
  }

  /** In the place of an earlier run of that key, which never ran. */
  setRun({ key, search, trial, metric, startResource, untilResource, runId }: TrialRun): void {
    this.database
      .prepare('INSERT OR REPLACE INTO trials_runs VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(key, search, trial, metric, startResource, untilResource, runId);
  }

  find(key: string): TrialRun | undefined {
    const [row] = this.database.prepare('SELECT * FROM trials_runs WHERE key = ?').all(key);
    return row === undefined ? undefined : rowSchema.parse(row);
  }

  /** Of a search, or of one of its trials: in the order in which each trial went on. */
  runsOf(search: string, trial?: number): readonly TrialRun[] {
    return this.database
      .prepare(
        'SELECT * FROM trials_runs WHERE search = ?1 AND (?2 IS NULL OR trial = ?2) ORDER BY trial, start_resource',
      )
      .all([search, trial ?? null])
      .map((row) => rowSchema.parse(row));
  }

  remove(search: string): void {
    this.database.transaction(() => {
      this.database.prepare('DELETE FROM trials_runs WHERE search = ?').run(search);
      this.database.prepare('DELETE FROM trials_plans WHERE search = ?').run(search);
    });
  }
}
