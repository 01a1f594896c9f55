import { SluiceError } from '../../contract';
import type { AreaSchema, LabDatabase } from '../store/lab-database';
import { keptRunSchema, type KeptRun } from './run-types';

export const RUNS_SCHEMA: AreaSchema = {
  area: 'runs',
  steps: [
    `CREATE TABLE runs_numbers (
       user TEXT NOT NULL,
       dataset TEXT NOT NULL,
       last INTEGER NOT NULL,
       PRIMARY KEY (user, dataset)
     ) STRICT, WITHOUT ROWID;
     CREATE TABLE runs_launched (
       run_id TEXT PRIMARY KEY,
       name TEXT NOT NULL UNIQUE,
       user TEXT NOT NULL,
       experiment_id TEXT NOT NULL,
       stage TEXT NOT NULL CHECK (stage IN ('preparing', 'queued', 'broken', 'ended')),
       reason TEXT,
       attempt INTEGER NOT NULL,
       created_ms REAL NOT NULL,
       plan TEXT NOT NULL
     ) STRICT, WITHOUT ROWID;
     CREATE INDEX runs_open ON runs_launched (created_ms) WHERE stage IN ('preparing', 'queued');`,
  ],
};

/** `queued`: its job may change yet. `broken`: could not be laid out. What the job came to is in the queue. */
export type RunStage = 'preparing' | 'queued' | 'broken' | 'ended';

export interface StoredRun {
  readonly runId: string;
  readonly name: string;
  readonly user: string;
  readonly experimentId: string;
  readonly stage: RunStage;
  readonly reason: string | undefined;
  readonly attempt: number;
  readonly createdMs: number;
  readonly plan: KeptRun;
}

/** Each attempt is a job of its own. */
export function jobKey({ runId, attempt }: Pick<StoredRun, 'runId' | 'attempt'>): string {
  return `${runId}-${attempt}`;
}

/** The run that a job belongs to, if it is one of a run. */
export function runOfJob(key: string): string {
  return key.slice(0, key.lastIndexOf('-'));
}

export interface RunQuery {
  readonly most: number;
  readonly user?: string | undefined;
  /** Only those that have not ended. */
  readonly isOpen?: boolean;
}

interface Row {
  readonly run_id: string;
  readonly name: string;
  readonly user: string;
  readonly experiment_id: string;
  readonly stage: RunStage;
  readonly reason: string | null;
  readonly attempt: number;
  readonly created_ms: number;
  readonly plan: string;
}

/** Which runs were launched, and what they were asked to do. */
export class LaunchedRuns {
  constructor(private readonly database: LabDatabase) {}

  /** The next number of a user's runs on a dataset; never given again. */
  nextNumber(user: string, dataset: string): number {
    return this.database.transaction(() => {
      const [row] = this.database
        .prepare(
          'INSERT INTO runs_numbers VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last',
        )
        .all([user, dataset]) as { last: number }[];
      return row!.last;
    });
  }

  insert(run: StoredRun): void {
    this.database.transaction(() => {
      this.database
        .prepare('INSERT INTO runs_launched VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
        .run([
          run.runId,
          run.name,
          run.user,
          run.experimentId,
          run.stage,
          run.reason ?? null,
          run.attempt,
          run.createdMs,
          JSON.stringify(run.plan),
        ]);
    });
  }

  setStage(runId: string, stage: RunStage, attempt: number, reason?: string): void {
    this.database.transaction(() => {
      this.database
        .prepare('UPDATE runs_launched SET stage = ?, attempt = ?, reason = ? WHERE run_id = ?')
        .run([stage, attempt, reason ?? null, runId]);
    });
  }

  delete(runId: string): void {
    this.database.transaction(() => {
      this.database.prepare('DELETE FROM runs_launched WHERE run_id = ?').run(runId);
    });
  }

  find(ref: string): StoredRun | undefined {
    const [row] = this.database
      .prepare('SELECT * FROM runs_launched WHERE run_id = ? OR name = ?')
      .all([ref, ref]) as Row[];
    return row && parseRow(row);
  }

  /** @param ref `user/dataset/N` or a run id. @throws SluiceError `not-found`. */
  get(ref: string): StoredRun {
    const found = this.find(ref);
    if (found) return found;
    throw new SluiceError(
      'not-found',
      `No run "${ref.slice(0, 200)}" was launched here. "sluice lab ps --all" lists those that were.`,
      { ref: ref.slice(0, 200) },
    );
  }

  /** The newest first. */
  list({ most, user, isOpen }: RunQuery): readonly StoredRun[] {
    const open = isOpen ? " AND stage IN ('preparing', 'queued')" : '';
    const rows = this.database
      .prepare(
        `SELECT * FROM runs_launched WHERE (?1 IS NULL OR user = ?1)${open} ORDER BY created_ms DESC, name DESC LIMIT ?2`,
      )
      .all([user ?? null, most]) as Row[];
    return rows.map(parseRow);
  }

  inStage(stage: RunStage): readonly StoredRun[] {
    const rows = this.database
      .prepare('SELECT * FROM runs_launched WHERE stage = ? ORDER BY created_ms')
      .all(stage) as Row[];
    return rows.map(parseRow);
  }
}

function parseRow(row: Row): StoredRun {
  return {
    runId: row.run_id,
    name: row.name,
    user: row.user,
    experimentId: row.experiment_id,
    stage: row.stage,
    reason: row.reason ?? undefined,
    attempt: row.attempt,
    createdMs: row.created_ms,
    plan: keptRunSchema.parse(JSON.parse(row.plan)),
  };
}
