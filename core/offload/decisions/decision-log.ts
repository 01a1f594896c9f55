import Database from 'libsql';
import { z } from 'zod';

import { refuseNewer, SluiceError } from '../../contract';
import type { Outcome } from '../environment/environment';
import type { Answer } from '../environment/live-endpoint';
import { systemDescriptionSchema } from '../scenario/system-description';
import { TIERS } from '../scenario/schema';
import type { SystemDescription } from '../scenario/system-description';
import type { Decision } from './decision';

const SCHEMA_VERSION = 2;
/** Version 1 knew simulated rounds only: no systems, no answers. */
const CREATE_SYSTEMS =
  'CREATE TABLE systems (id INTEGER PRIMARY KEY, description TEXT NOT NULL UNIQUE) STRICT;';
const CREATE = `
  ${CREATE_SYSTEMS}
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
    reward_ms REAL,
    system_id INTEGER REFERENCES systems,
    answers TEXT
  ) STRICT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
const FROM_VERSION_1 = `
  ${CREATE_SYSTEMS}
  ALTER TABLE decisions ADD COLUMN system_id INTEGER REFERENCES systems;
  ALTER TABLE decisions ADD COLUMN answers TEXT;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
/** The oldest go beyond this many: about 300 MB. */
const MOST_KEPT = 1_000_000;
const DROP_EVERY = 1000;

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
  system_id: z.number().nullable(),
  answers: z.string().nullable(),
});
const stages = z.object({
  sendMs: z.number(),
  queueMs: z.number(),
  computeMs: z.number(),
  receiveMs: z.number(),
  sentBytes: z.number(),
  receivedBytes: z.number(),
});
const tier = z.enum(TIERS);
const answersSchema: z.ZodType<readonly Answer[]> = z.array(
  z.object({
    by: z.object({ tier, endpointId: z.string(), startMs: z.number(), stages }).exactOptional(),
    responseMs: z.number(),
    failures: z.array(
      z.object({
        tier,
        endpointId: z.string(),
        reason: z.enum(['failed', 'slow']),
        error: z.string(),
        startMs: z.number(),
        lostMs: z.number(),
      }),
    ),
  }),
);

/** A kept decision, with its outcome once there was one. */
export interface LoggedDecision {
  readonly decision: Decision;
  readonly outcome?: Outcome;
  /** [users] of a live round. */
  readonly answers?: readonly Answer[];
  /** What its choices mean, where the log was told. */
  readonly system?: SystemDescription;
}

/** Decisions and what they came to, in a SQLite file. One writer at a time. */
export class DecisionLog {
  private readonly database: Database.Database;
  private readonly systems = new Map<number, SystemDescription>();
  private systemId: number | null = null;

  /**
   * Opens or creates. @param path `:memory:` keeps nothing.
   * @throws SluiceError `io` when it can't be opened, `bad-input` when it is another kind of file or version,
   * `unsupported` when a newer Sluice made it.
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

  /** Tells what the choices of the decisions to come mean. */
  useSystem(system: SystemDescription): void {
    const description = JSON.stringify(system);
    this.systemId = this.write(() => {
      this.database.prepare('INSERT OR IGNORE INTO systems (description) VALUES (?)').run(description);
      const [id] = this.database
        .prepare('SELECT id FROM systems WHERE description = ?')
        .raw()
        .all(description) as [number][];
      return id?.[0] ?? null;
    });
  }

  /** Keeps a decision under the next id. @returns the id. */
  record(decision: Decision): number {
    const { lastInsertRowid } = this.write(() =>
      this.database
        .prepare(
          `INSERT INTO decisions (at_ms, agent, state, threshold_pct, action, reason, pinned_users, accuracy_pct, predicted_ms, system_id)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
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
          this.systemId,
        ),
    );
    const id = Number(lastInsertRowid);
    if (id % DROP_EVERY === 0) this.dropOldest(id - MOST_KEPT);
    return id;
  }

  /** Adds what a kept decision came to. @throws SluiceError `not-found`. */
  complete(id: number, { responseMs, meanResponseMs, rewardMs }: Outcome, answers?: readonly Answer[]): void {
    const { changes } = this.write(() =>
      this.database
        .prepare('UPDATE decisions SET response_ms = ?, mean_ms = ?, reward_ms = ?, answers = ? WHERE id = ?')
        .run(
          JSON.stringify(Array.from(responseMs)),
          meanResponseMs,
          rewardMs,
          answers ? JSON.stringify(answers) : null,
          id,
        ),
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

  /** By falling id, from before `beforeId`. @throws SluiceError `bad-input` for a damaged row. */
  listBack(beforeId: number, limit: number): readonly LoggedDecision[] {
    const found = this.database
      .prepare('SELECT * FROM decisions WHERE id < ? ORDER BY id DESC LIMIT ?')
      .all(beforeId, limit);
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
        // A power loss may cost the last decisions, never the file; each commit's own sync would cost milliseconds.
        this.database.exec('PRAGMA journal_mode = WAL');
        this.database.exec(CREATE);
      } else if (version?.[0] === 1) {
        this.database.exec(`BEGIN; ${FROM_VERSION_1} COMMIT;`);
      }
      this.database.exec('PRAGMA synchronous = NORMAL');
      const [found] = version ?? [];
      const file = { path: this.path, what: 'the log of decisions', known: SCHEMA_VERSION };
      refuseNewer({ version: found }, 'version', file);
      if (tables.length === 0 || version?.[0] === 1 || version?.[0] === SCHEMA_VERSION) return;
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
    try {
      const data = row.parse(found);
      return {
        ...loggedOf(data),
        ...(data.answers !== null && { answers: answersSchema.parse(JSON.parse(data.answers)) }),
        ...(data.system_id !== null && { system: this.systemOf(data.system_id) }),
      };
    } catch (cause) {
      const [issue] = cause instanceof z.ZodError ? cause.issues : [];
      const reason = issue ? `${issue.path.join('.')}: ${issue.message}` : reasonOf(cause);
      throw new SluiceError('bad-input', `${this.path}: a decision is damaged (${reason}).`, {}, { cause });
    }
  }

  private systemOf(id: number): SystemDescription {
    const known = this.systems.get(id);
    if (known) return known;
    const [found] = this.database.prepare('SELECT description FROM systems WHERE id = ?').raw().all(id) as [
      string,
    ][];
    const system = systemDescriptionSchema.parse(JSON.parse(found?.[0] ?? 'null'));
    this.systems.set(id, system);
    return system;
  }

  private dropOldest(upToId: number): void {
    if (upToId <= 0) return;
    this.write(() => this.database.prepare('DELETE FROM decisions WHERE id <= ?').run(upToId));
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
