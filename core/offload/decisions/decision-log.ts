import Database from 'libsql';
import { z } from 'zod';

import { SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import type { Decision } from './decision';

const SCHEMA_VERSION = 1;
const CREATE = `
  CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    at_ms REAL NOT NULL,
    agent TEXT NOT NULL,
    state BLOB NOT NULL,
    threshold_pct REAL NOT NULL,
    action BLOB NOT NULL,
    reason TEXT NOT NULL,
    pinned_users TEXT NOT NULL,
    accuracy_pct REAL NOT NULL,
    predicted_ms REAL,
    response_ms TEXT,
    mean_ms REAL,
    reward_ms REAL
  ) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

const reasons = z.enum(['best-known', 'explored', 'exploration-capped', 'threshold-out-of-reach']);
// libsql gives blobs as either, by version and call.
const bytes = z
  .union([z.instanceof(Uint8Array), z.instanceof(ArrayBuffer)])
  .transform((value) => Uint8Array.from(new Uint8Array(value)));
const row = z.object({
  id: z.number(),
  at_ms: z.number(),
  agent: z.string(),
  state: bytes,
  threshold_pct: z.number(),
  action: bytes,
  reason: reasons,
  pinned_users: z.string().transform((text) => z.array(z.number()).parse(JSON.parse(text))),
  accuracy_pct: z.number(),
  predicted_ms: z.number().nullable(),
  response_ms: z.string().nullable(),
  mean_ms: z.number().nullable(),
  reward_ms: z.number().nullable(),
});

/** A kept decision, with its outcome once there was one. */
export interface LoggedDecision {
  readonly decision: Decision;
  readonly outcome?: Outcome;
}

/** Decisions and what they came to, in a SQLite file. One writer at a time. */
export class DecisionLog {
  private readonly database: Database.Database;

  /**
   * Opens or creates. @param path `:memory:` keeps nothing.
   * @throws SluiceError `io` when it can't be opened, `bad-input` when it is another kind of file or version.
   */
  constructor(private readonly path: string) {
    try {
      this.database = new Database(path);
    } catch (cause) {
      throw new SluiceError(
        'io',
        `Can't open the decision log ${path}: ${reasonOf(cause)}.`,
        { path },
        { cause },
      );
    }
    this.prepare();
  }

  /** Keeps a decision under the next id. @returns the id. */
  record(decision: Decision): number {
    const { lastInsertRowid } = this.write(() =>
      this.database
        .prepare(
          `INSERT INTO decisions (at_ms, agent, state, threshold_pct, action, reason, pinned_users, accuracy_pct, predicted_ms)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        )
        .run(
          decision.atMs,
          decision.agent,
          Buffer.from(decision.state),
          decision.thresholdPct,
          Buffer.from(decision.action),
          decision.reason,
          JSON.stringify(decision.pinnedUsers),
          decision.meanAccuracyPct,
          decision.predictedMeanMs ?? null,
        ),
    );
    return Number(lastInsertRowid);
  }

  /** Adds what a kept decision came to. @throws SluiceError `not-found`. */
  complete(id: number, { responseMs, meanResponseMs, rewardMs }: Outcome): void {
    const { changes } = this.write(() =>
      this.database
        .prepare('UPDATE decisions SET response_ms = ?, mean_ms = ?, reward_ms = ? WHERE id = ?')
        .run(JSON.stringify(Array.from(responseMs)), meanResponseMs, rewardMs, id),
    );
    if (changes === 0) throw new SluiceError('not-found', `${this.path} holds no decision ${id}.`, { id });
  }

  /** By rising id, from after `afterId`. @throws SluiceError `bad-input` for a damaged row. */
  list(afterId = 0, limit = 1000): readonly LoggedDecision[] {
    const found = this.database
      .prepare('SELECT * FROM decisions WHERE id > ? ORDER BY id LIMIT ?')
      .all(afterId, limit);
    return found.map((each) => this.parse(each));
  }

  /** Writes many decisions at once, all or none. */
  batch(work: () => void): void {
    this.database.transaction(work)();
  }

  close(): void {
    this.database.close();
  }

  private prepare(): void {
    try {
      const [version] = this.database.prepare('PRAGMA user_version').raw().all() as [number][];
      const tables = this.database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      if (tables.length === 0) {
        this.database.exec(CREATE);
        return;
      }
      if (version?.[0] === SCHEMA_VERSION) return;
      throw new SluiceError(
        'bad-input',
        `${this.path}: expected a decision log of version ${SCHEMA_VERSION}, found ${tables.length} tables of version ${version?.[0] ?? 0}. Name another file.`,
      );
    } catch (cause) {
      this.database.close();
      if (cause instanceof SluiceError) throw cause;
      throw new SluiceError(
        'bad-input',
        `${this.path} is no decision log: ${reasonOf(cause)}. Name another file.`,
        { path: this.path },
        { cause },
      );
    }
  }

  private write<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new SluiceError(
        'io',
        `Can't write ${this.path}: ${reasonOf(cause)}.`,
        { path: this.path },
        { cause },
      );
    }
  }

  private parse(found: unknown): LoggedDecision {
    const parsed = row.safeParse(found);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new SluiceError(
        'bad-input',
        `${this.path}: a decision is damaged (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}).`,
      );
    }
    return loggedOf(parsed.data);
  }
}

function loggedOf(data: z.infer<typeof row>): LoggedDecision {
  const decision: Decision = {
    id: data.id,
    atMs: data.at_ms,
    agent: data.agent,
    state: data.state,
    thresholdPct: data.threshold_pct,
    action: data.action,
    reason: data.reason,
    pinnedUsers: data.pinned_users,
    meanAccuracyPct: data.accuracy_pct,
    ...(data.predicted_ms !== null && { predictedMeanMs: data.predicted_ms }),
  };
  if (data.response_ms === null || data.mean_ms === null || data.reward_ms === null) return { decision };
  const responseMs = Float64Array.from(z.array(z.number()).parse(JSON.parse(data.response_ms)));
  const outcome = {
    responseMs,
    meanResponseMs: data.mean_ms,
    meanAccuracyPct: data.accuracy_pct,
    rewardMs: data.reward_ms,
  };
  return { decision, outcome };
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
