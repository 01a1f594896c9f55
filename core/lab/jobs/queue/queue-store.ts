import type { Statement } from 'libsql';

import type { AreaSchema, LabDatabase } from '../../store/lab-database';
import type { JobSpec, JobState } from '../job-engine';
import { jobSpecSchema } from '../job-spec';

import type { DayBudget } from './queue-policy';

/** The tables of the queue. Times are milliseconds since the Unix epoch; days are counted from it too, in UTC. */
export const JOBS_SCHEMA: AreaSchema = {
  area: 'jobs',
  steps: [
    `CREATE TABLE jobs_all (
       id INTEGER PRIMARY KEY AUTOINCREMENT,
       key TEXT NOT NULL UNIQUE,
       user TEXT NOT NULL,
       engine TEXT NOT NULL,
       priority INTEGER NOT NULL,
       limit_ms REAL,
       spec TEXT NOT NULL,
       submitted_ms REAL NOT NULL,
       step TEXT NOT NULL,
       state TEXT NOT NULL,
       node TEXT,
       handed_ms REAL,
       started_ms REAL,
       ended_ms REAL,
       exit_code INTEGER,
       signal TEXT,
       reason TEXT,
       idle_since_ms REAL,
       stop_reason TEXT,
       stop_grace_ms REAL,
       charged_until_ms REAL,
       cpu_ms REAL NOT NULL,
       gpu_ms REAL NOT NULL
     ) STRICT`,
    "CREATE INDEX jobs_open ON jobs_all (id) WHERE step <> 'ended'",
    'CREATE INDEX jobs_by_user ON jobs_all (user, id)',
    `CREATE TABLE jobs_days (
       user TEXT NOT NULL, day INTEGER NOT NULL, cpu_ms REAL NOT NULL, gpu_ms REAL NOT NULL,
       PRIMARY KEY (user, day)
     ) STRICT, WITHOUT ROWID`,
    'CREATE TABLE jobs_shares (user TEXT PRIMARY KEY, weighted_ms REAL NOT NULL, at_ms REAL NOT NULL) STRICT, WITHOUT ROWID',
    'CREATE TABLE jobs_budgets (user TEXT PRIMARY KEY, cpu_minutes REAL, gpu_minutes REAL) STRICT, WITHOUT ROWID',
  ],
};

/** `waiting`: here; `handed`: given to its engine, which has not said that it has it; `taken`: it has. */
export type JobStep = 'waiting' | 'handed' | 'taken' | 'ended';

/** A job as the queue keeps it. */
export interface QueuedJob {
  /** Grows with each submission. */
  readonly id: number;
  readonly key: string;
  readonly user: string;
  readonly engine: string;
  readonly priority: number;
  readonly limitMs: number | undefined;
  readonly spec: JobSpec;
  readonly submittedMs: number;
  readonly step: JobStep;
  readonly state: JobState;
  readonly node: string | undefined;
  readonly handedMs: number | undefined;
  readonly startedMs: number | undefined;
  readonly endedMs: number | undefined;
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
  readonly reason: string | undefined;
  readonly idleSinceMs: number | undefined;
  readonly stopReason: string | undefined;
  readonly stopGraceMs: number | undefined;
  readonly chargedUntilMs: number | undefined;
  /** Charged so far: processors (GPUs) times time. */
  readonly cpuMs: number;
  readonly gpuMs: number;
}

export interface DayUse {
  readonly cpuMs: number;
  readonly gpuMs: number;
}

/** Column by member; `id` is given by the table. */
const COLUMNS = {
  key: 'key',
  user: 'user',
  engine: 'engine',
  priority: 'priority',
  limitMs: 'limit_ms',
  spec: 'spec',
  submittedMs: 'submitted_ms',
  step: 'step',
  state: 'state',
  node: 'node',
  handedMs: 'handed_ms',
  startedMs: 'started_ms',
  endedMs: 'ended_ms',
  exitCode: 'exit_code',
  signal: 'signal',
  reason: 'reason',
  idleSinceMs: 'idle_since_ms',
  stopReason: 'stop_reason',
  stopGraceMs: 'stop_grace_ms',
  chargedUntilMs: 'charged_until_ms',
  cpuMs: 'cpu_ms',
  gpuMs: 'gpu_ms',
} as const satisfies Record<Exclude<keyof QueuedJob, 'id'>, string>;
const MEMBERS = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
const NAMES = Object.values(COLUMNS);
const SELECT = `SELECT id, ${NAMES.join(', ')} FROM jobs_all`;

/** The queue's rows. */
export class QueueStore {
  private readonly insertJob: Statement;
  private readonly updateJob: Statement;
  private readonly addDay: Statement;
  private readonly setShare: Statement;

  constructor(private readonly database: LabDatabase) {
    this.insertJob = database.prepare(
      `INSERT INTO jobs_all (${NAMES.join(', ')}) VALUES (${NAMES.map(() => '?').join(', ')})`,
    );
    this.updateJob = database.prepare(
      `UPDATE jobs_all SET ${NAMES.map((name) => `${name} = ?`).join(', ')} WHERE id = ?`,
    );
    this.addDay = database.prepare(
      `INSERT INTO jobs_days VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET cpu_ms = cpu_ms + excluded.cpu_ms, gpu_ms = gpu_ms + excluded.gpu_ms`,
    );
    this.setShare = database.prepare('INSERT OR REPLACE INTO jobs_shares VALUES (?, ?, ?)');
  }

  transaction<T>(work: () => T): T {
    return this.database.transaction(work);
  }

  insert(job: Omit<QueuedJob, 'id'>): QueuedJob {
    const { lastInsertRowid } = this.insertJob.run(...valuesOf(job));
    return { ...job, id: Number(lastInsertRowid) };
  }

  update(job: QueuedJob): void {
    this.updateJob.run(...valuesOf(job), job.id);
  }

  get(key: string): QueuedJob | undefined {
    return this.select(`${SELECT} WHERE key = ?`, key)[0];
  }

  /** Those that have not ended, in the order they came. */
  open(): readonly QueuedJob[] {
    return this.select(`${SELECT} WHERE step <> 'ended' ORDER BY id`);
  }

  /** The newest that have ended, newest first. */
  ended(most: number, user?: string): readonly QueuedJob[] {
    return user === undefined
      ? this.select(`${SELECT} WHERE step = 'ended' ORDER BY id DESC LIMIT ?`, most)
      : this.select(`${SELECT} WHERE step = 'ended' AND user = ? ORDER BY id DESC LIMIT ?`, user, most);
  }

  /** When a job of a user and priority was handed on last; by `rowOf`. */
  lastBegunMs(): ReadonlyMap<string, number> {
    const sql = `SELECT user, priority, max(handed_ms) FROM jobs_all WHERE handed_ms IS NOT NULL GROUP BY user, priority`;
    const rows = this.database.prepare(sql).raw().all() as [string, number, number][];
    return new Map(rows.map(([user, priority, ms]) => [rowOf(user, priority), ms]));
  }

  dayUse(user: string, day: number): DayUse {
    const sql = 'SELECT cpu_ms, gpu_ms FROM jobs_days WHERE user = ? AND day = ?';
    const [row] = this.database.prepare(sql).raw().all(user, day) as [number, number][];
    return { cpuMs: row?.[0] ?? 0, gpuMs: row?.[1] ?? 0 };
  }

  addDayUse(user: string, day: number, { cpuMs, gpuMs }: DayUse): void {
    this.addDay.run(user, day, cpuMs, gpuMs);
  }

  shares(): ReadonlyMap<string, { readonly weightedMs: number; readonly atMs: number }> {
    const rows = this.database.prepare('SELECT user, weighted_ms, at_ms FROM jobs_shares').raw().all();
    return new Map(
      (rows as [string, number, number][]).map(([user, weightedMs, atMs]) => [user, { weightedMs, atMs }]),
    );
  }

  writeShare(user: string, weightedMs: number, atMs: number): void {
    this.setShare.run(user, weightedMs, atMs);
  }

  budgets(): ReadonlyMap<string, DayBudget> {
    const rows = this.database.prepare('SELECT user, cpu_minutes, gpu_minutes FROM jobs_budgets').raw().all();
    return new Map(
      (rows as [string, number | null, number | null][]).map(([user, cpuMinutes, gpuMinutes]) => [
        user,
        { cpuMinutes: cpuMinutes ?? Infinity, gpuMinutes: gpuMinutes ?? Infinity },
      ]),
    );
  }

  writeBudget(user: string, budget: DayBudget | undefined): void {
    if (budget) {
      const [cpuMinutes, gpuMinutes] = [budget.cpuMinutes, budget.gpuMinutes].map((minutes) =>
        minutes === Infinity ? null : minutes,
      );
      const sql = 'INSERT OR REPLACE INTO jobs_budgets VALUES (?, ?, ?)';
      this.database.prepare(sql).run(user, cpuMinutes, gpuMinutes);
    } else {
      this.database.prepare('DELETE FROM jobs_budgets WHERE user = ?').run(user);
    }
  }

  private select(sql: string, ...values: (string | number)[]): readonly QueuedJob[] {
    return (this.database.prepare(sql).all(...values) as Record<string, unknown>[]).map(jobOf);
  }
}

/** The name of a user's jobs of one priority. */
export function rowOf(user: string, priority: number): string {
  return `${priority} ${user}`;
}

function valuesOf(job: Omit<QueuedJob, 'id'>): unknown[] {
  return MEMBERS.map((member) => (member === 'spec' ? JSON.stringify(job.spec) : (job[member] ?? null)));
}

function jobOf(row: Record<string, unknown>): QueuedJob {
  const members = MEMBERS.map((member) => [member, row[COLUMNS[member]] ?? undefined]);
  const spec = jobSpecSchema.parse(JSON.parse(String(row['spec'])));
  // The table's own column types (STRICT) hold what the members say.
  return { ...(Object.fromEntries(members) as Omit<QueuedJob, 'id' | 'spec'>), spec, id: Number(row['id']) };
}
