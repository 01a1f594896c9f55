import { z } from 'zod';

import { SluiceError } from '../../contract';
import { faultText } from '../../storage';
import type { AreaSchema, LabDatabase } from '../store/lab-database';
import type { ScoredSubmission } from './board';
import { storedDefinition } from './definition';
import type { CompetitionDefinition } from './definition';

export const COMPETITIONS_SCHEMA: AreaSchema = {
  area: 'competitions',
  steps: [
    `CREATE TABLE competitions_all (
      name TEXT PRIMARY KEY, definition TEXT NOT NULL, owner TEXT NOT NULL, created_ms REAL NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE competitions_submissions (
      id INTEGER PRIMARY KEY AUTOINCREMENT, competition TEXT NOT NULL REFERENCES competitions_all (name),
      user TEXT NOT NULL, run_id TEXT NOT NULL, checkpoint TEXT, is_dry_run INTEGER NOT NULL, state TEXT NOT NULL,
      score REAL, error TEXT, counts INTEGER NOT NULL, day INTEGER NOT NULL, submitted_ms REAL NOT NULL, ended_ms REAL
    ) STRICT;
    CREATE INDEX competitions_submissions_of ON competitions_submissions (competition, user, day);
    CREATE INDEX competitions_submissions_open ON competitions_submissions (state) WHERE ended_ms IS NULL`,
  ],
};

export interface Competition extends CompetitionDefinition {
  readonly owner: string;
  /** Since the Unix epoch. */
  readonly createdMs: number;
}

export type SubmissionState = 'queued' | 'inferring' | 'scoring' | 'scored' | 'failed';

export interface Submission {
  readonly id: number;
  readonly competition: string;
  readonly user: string;
  /** Whose model it is; 32 hexadecimal digits. */
  readonly runId: string;
  /** Absent: the run's last one. */
  readonly checkpoint?: string;
  /** On the first rows, for oneself alone. */
  readonly isDryRun: boolean;
  readonly state: SubmissionState;
  readonly score?: number;
  /** Of a failed one: for the user. */
  readonly error?: string;
  /** Since the Unix epoch. */
  readonly submittedMs: number;
  readonly endedMs?: number;
}

export interface NewSubmission {
  readonly competition: string;
  readonly user: string;
  readonly runId: string;
  readonly checkpoint: string | undefined;
  readonly isDryRun: boolean;
}

const row = z.object({
  id: z.number(),
  competition: z.string(),
  user: z.string(),
  run_id: z.string(),
  checkpoint: z.string().nullable(),
  is_dry_run: z.number(),
  state: z.enum(['queued', 'inferring', 'scoring', 'scored', 'failed']),
  score: z.number().nullable(),
  error: z.string().nullable(),
  submitted_ms: z.number(),
  ended_ms: z.number().nullable(),
});
const competitionRow = z.object({
  name: z.string(),
  definition: z.string(),
  owner: z.string(),
  created_ms: z.number(),
});
const countRow = z.object({ count: z.number() });
const scoredRow = z.object({ id: z.number(), user: z.string(), score: z.number(), submittedMs: z.number() });

/** Competitions and what was submitted to them, in the area `competitions`. */
export class CompetitionStore {
  private readonly statements;

  constructor(private readonly database: LabDatabase) {
    const columns =
      'id, competition, user, run_id, checkpoint, is_dry_run, state, score, error, submitted_ms, ended_ms';
    const from = `SELECT ${columns} FROM competitions_submissions`;
    const prepare = (sql: string): ReturnType<LabDatabase['prepare']> => database.prepare(sql);
    this.statements = {
      insertCompetition: prepare('INSERT INTO competitions_all VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING'),
      competition: prepare('SELECT name, definition, owner, created_ms FROM competitions_all WHERE name = ?'),
      competitions: prepare(
        'SELECT name, definition, owner, created_ms FROM competitions_all ORDER BY created_ms DESC, name',
      ),
      insert: prepare(
        `INSERT INTO competitions_submissions (competition, user, run_id, checkpoint, is_dry_run, state, counts, day, submitted_ms)
        VALUES (?, ?, ?, ?, ?, 'queued', ?, ?, ?)`,
      ),
      one: prepare(`${from} WHERE id = ?`),
      history: prepare(`${from} WHERE competition = ? AND user = ? ORDER BY id DESC`),
      open: prepare(`${from} WHERE ended_ms IS NULL ORDER BY id`),
      counted: prepare(
        'SELECT count(*) AS count FROM competitions_submissions WHERE competition = ? AND user = ? AND day = ? AND counts = 1',
      ),
      scored: prepare(
        `SELECT id, user, score, submitted_ms AS submittedMs FROM competitions_submissions
        WHERE competition = ? AND state = 'scored' AND is_dry_run = 0`,
      ),
      later: prepare(
        `SELECT count(*) AS count FROM competitions_submissions
        WHERE competition = ? AND user = ? AND id > ? AND state = 'scored' AND is_dry_run = 0`,
      ),
      setState: prepare('UPDATE competitions_submissions SET state = ? WHERE id = ?'),
      end: prepare(
        'UPDATE competitions_submissions SET state = ?, score = ?, error = ?, counts = counts * ?, ended_ms = ? WHERE id = ?',
      ),
    };
  }

  /** @throws SluiceError `conflict` when there is one of that name. */
  addCompetition(definition: CompetitionDefinition, owner: string, nowMs: number): void {
    const { name } = definition;
    const { changes } = this.statements.insertCompetition.run(name, JSON.stringify(definition), owner, nowMs);
    if (changes > 0) return;
    const message = `There is a competition "${name}" already. Choose another name.`;
    throw new SluiceError('conflict', message, { name });
  }

  /** @throws SluiceError `not-found`, `corrupt-store` for one whose definition is damaged. */
  competition(name: string): Competition {
    const found: unknown = this.statements.competition.get(name);
    if (found) return this.competitionOf(found);
    const shown = name.slice(0, 63);
    throw new SluiceError('not-found', `There is no competition "${shown}".`, { name: shown });
  }

  /** The newest first. @param onDamaged told of each that can't be read; the others are listed. */
  competitions(onDamaged: (error: SluiceError) => void): readonly Competition[] {
    return this.statements.competitions.all().flatMap((found) => {
      try {
        return [this.competitionOf(found)];
      } catch (thrown) {
        onDamaged(SluiceError.from(thrown));
        return [];
      }
    });
  }

  private competitionOf(found: unknown): Competition {
    const { name, definition, owner, created_ms: createdMs } = competitionRow.parse(found);
    try {
      return { ...storedDefinition(JSON.parse(definition)), owner, createdMs };
    } catch (cause) {
      throw new SluiceError(
        'corrupt-store',
        `The definition of the competition "${name}" in ${this.database.path} is damaged (${faultText(cause)}). Put back a ` +
          'copy of the database; its submissions are still there.',
        { name, path: this.database.path },
        { cause },
      );
    }
  }

  /**
   * Adds one that is queued, unless the user has `most` of that day that count.
   * @param day counted from the Unix epoch.
   * @returns the submission; undefined when there are so many.
   */
  addWithin(most: number, submission: NewSubmission, day: number, nowMs: number): Submission | undefined {
    const { competition, user, runId, checkpoint, isDryRun } = submission;
    return this.database.transaction(() => {
      if (!isDryRun && this.countOf(competition, user, day) >= most) return undefined;
      const counts = isDryRun ? 0 : 1;
      const values = [competition, user, runId, checkpoint ?? null, isDryRun ? 1 : 0, counts, day, nowMs];
      const { lastInsertRowid } = this.statements.insert.run(values);
      return this.submission(Number(lastInsertRowid));
    });
  }

  /** Of a user, a competition and a day: submissions that count towards its limit. */
  countOf(competition: string, user: string, day: number): number {
    return countRow.parse(this.statements.counted.get(competition, user, day)).count;
  }

  /** @throws SluiceError `not-found`. */
  submission(id: number): Submission {
    const found: unknown = this.statements.one.get([id]);
    if (!found) throw new SluiceError('not-found', `There is no submission ${id}.`, { id });
    return submissionOf(found);
  }

  find(id: number): Submission | undefined {
    const found: unknown = this.statements.one.get([id]);
    return found === undefined ? undefined : submissionOf(found);
  }

  /** Whether its user has one that was submitted later and is scored; dry runs do not count. */
  hasLaterScored({ id, competition, user }: Pick<Submission, 'id' | 'competition' | 'user'>): boolean {
    return countRow.parse(this.statements.later.get(competition, user, id)).count > 0;
  }

  /** Of one user, the newest first. */
  history(competition: string, user: string): readonly Submission[] {
    return this.statements.history.all(competition, user).map(submissionOf);
  }

  /** Neither scored nor failed, the oldest first. */
  open(): readonly Submission[] {
    return this.statements.open.all().map(submissionOf);
  }

  /** What is ranked. */
  scored(competition: string): readonly ScoredSubmission[] {
    return this.statements.scored.all(competition).map((found) => scoredRow.parse(found));
  }

  setState(id: number, state: 'inferring' | 'scoring'): void {
    this.statements.setState.run(state, id);
  }

  setScore(id: number, score: number, nowMs: number): void {
    this.statements.end.run('scored', score, null, 1, nowMs, id);
  }

  /** @param counts whether it still counts towards its day's limit. */
  setFailed(id: number, error: string, counts: boolean, nowMs: number): void {
    this.statements.end.run('failed', null, error, counts ? 1 : 0, nowMs, id);
  }
}

function submissionOf(found: unknown): Submission {
  const { id, competition, user, state, ...rest } = row.parse(found);
  return {
    id,
    competition,
    user,
    runId: rest.run_id,
    ...(rest.checkpoint === null ? {} : { checkpoint: rest.checkpoint }),
    isDryRun: rest.is_dry_run === 1,
    state,
    ...(rest.score === null ? {} : { score: rest.score }),
    ...(rest.error === null ? {} : { error: rest.error }),
    submittedMs: rest.submitted_ms,
    ...(rest.ended_ms === null ? {} : { endedMs: rest.ended_ms }),
  };
}
