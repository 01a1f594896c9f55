import { POINT_BYTES } from '../tracking/points';
import { wellFormed } from '../tracking/rows';
import type { LabDatabase } from '../store/lab-database';
import type { Refusal, Remote } from './remote-types';

/** A run that has changed since the remote had all of it. */
export interface ChangedRun {
  readonly run: number;
  readonly runId: string;
  readonly revision: number;
}

export interface RunThere {
  readonly runId: string;
  readonly artifactUri: string;
  readonly remoteUri: string;
}

/** What a remote has of a run. */
export interface RunPosition {
  /** Its id and the place of its artifacts there; undefined until it is there. */
  readonly remoteRun: string | undefined;
  readonly artifactUri: string | undefined;
  readonly facts: string | undefined;
  readonly status: string | undefined;
}

export interface SentFile {
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly sha256: string;
}

export interface SentModel {
  readonly remoteModel: string;
  readonly artifactUri: string | undefined;
  readonly facts: string | undefined;
}

/** Runs (`r`) of the experiments a remote gets (names as ?1), what was deleted here left out. */
const selected = (from: string): string =>
  `FROM ${from} JOIN tracking_experiments e ON e.id = r.experiment ` +
  'WHERE r.is_deleted = 0 AND (?1 IS NULL OR e.name IN (SELECT value FROM json_each(?1)))';
const MOST_REFUSALS = 20;

/** How far each remote is: what it acknowledged, and nothing that it may have. */
export class Positions {
  constructor(private readonly database: LabDatabase) {}

  changedRuns(remote: Remote): readonly ChangedRun[] {
    const from =
      'sync_changes c JOIN tracking_runs r ON r.number = c.run ' +
      'LEFT JOIN sync_runs p ON p.remote = ?2 AND p.run = c.run';
    const rows = this.database
      .prepare(
        `SELECT r.number, r.run_id, c.revision ${selected(from)} ` +
          'AND c.revision > coalesce(p.done_revision, -1) ORDER BY r.number',
      )
      .raw()
      .all([selectionOf(remote), remote.number]) as [number, string, number][];
    return rows.map(([run, runId, revision]) => ({ run, runId, revision }));
  }

  /** All runs that the remote has, and where their artifacts are here and there. */
  runsThere(remote: Remote): readonly RunThere[] {
    const rows = this.database
      .prepare(
        `SELECT r.run_id, r.artifact_uri, p.artifact_uri ${selected('sync_runs p JOIN tracking_runs r ON r.number = p.run')} ` +
          'AND p.remote = ?2 AND p.remote_run IS NOT NULL ORDER BY r.number',
      )
      .raw()
      .all([selectionOf(remote), remote.number]) as [string, string, string][];
    return rows.map(([runId, artifactUri, remoteUri]) => ({ runId, artifactUri, remoteUri }));
  }

  /** Logged models of the experiments it gets. */
  loggedModels(remote: Remote): readonly string[] {
    const rows = this.database
      .prepare(
        'SELECT m.model_id FROM tracking_models m JOIN tracking_experiments e ON e.id = m.experiment ' +
          'WHERE m.is_deleted = 0 AND (?1 IS NULL OR e.name IN (SELECT value FROM json_each(?1))) ORDER BY m.number',
      )
      .raw()
      .all([selectionOf(remote)]) as [string][];
    return rows.map(([modelId]) => modelId);
  }

  /** By logged model, the runs that used it, as they are called there; those that are not there are left out. */
  usersOfModels({ number }: Remote): ReadonlyMap<string, readonly string[]> {
    const rows = this.database
      .prepare(
        'SELECT m.model_id, s.remote_run FROM tracking_run_models m JOIN sync_runs s ON s.run = m.run ' +
          'WHERE s.remote = ? AND s.remote_run IS NOT NULL AND m.is_output = 0 ORDER BY m.id',
      )
      .raw()
      .all([number]) as [string, string][];
    const users = new Map<string, string[]>();
    for (const [model, run] of rows) {
      const known = users.get(model);
      if (known) known.push(run);
      else users.set(model, [run]);
    }
    return users;
  }

  /** How many points the remote does not have. */
  pendingPoints(remote: Remote): number {
    const [[points]] = this.database
      .prepare(
        `SELECT coalesce(sum(
           (SELECT coalesce(sum(length(b.points)), 0) FROM tracking_blocks b WHERE b.series = m.series) / ${POINT_BYTES}
           - coalesce((SELECT s.points FROM sync_series s WHERE s.remote = ?2 AND s.run = m.run AND s.key = m.key), 0)
         ), 0)
         FROM tracking_metrics m WHERE m.run IN (SELECT r.number ${selected('tracking_runs r')})`,
      )
      .raw()
      .all([selectionOf(remote), remote.number]) as [[number]];
    return points;
  }

  runOf({ number }: Remote, run: number): RunPosition | undefined {
    const [row] = this.database
      .prepare('SELECT remote_run, artifact_uri, facts, status FROM sync_runs WHERE remote = ? AND run = ?')
      .raw()
      .all([number, run]) as [string | null, string | null, string | null, string | null][];
    if (!row) return undefined;
    const [remoteRun, artifactUri, facts, status] = row;
    return {
      remoteRun: remoteRun ?? undefined,
      artifactUri: artifactUri ?? undefined,
      facts: facts ?? undefined,
      status: status ?? undefined,
    };
  }

  /** @returns undefined for a run that is not here or not there. */
  remoteRunOf(
    { number }: Remote,
    runId: string,
  ): { readonly runId: string; readonly artifactUri: string } | undefined {
    const [row] = this.database
      .prepare(
        'SELECT p.remote_run, p.artifact_uri FROM sync_runs p JOIN tracking_runs ON number = run ' +
          'WHERE remote = ? AND run_id = ? AND remote_run IS NOT NULL',
      )
      .raw()
      .all([number, runId]) as [string, string][];
    return row && { runId: row[0], artifactUri: row[1] };
  }

  setRemoteRun({ number }: Remote, run: number, remoteRun: string, artifactUri: string): void {
    this.database
      .prepare(
        'INSERT INTO sync_runs (remote, run, remote_run, artifact_uri, done_revision) VALUES (?, ?, ?, ?, -1) ' +
          'ON CONFLICT DO UPDATE SET remote_run = excluded.remote_run, artifact_uri = excluded.artifact_uri',
      )
      .run([number, run, remoteRun, artifactUri]);
  }

  /** The remote has nothing of a run any more. */
  forgetRun({ number }: Remote, run: number, runId: string): void {
    this.database.transaction(() => {
      this.database.prepare('DELETE FROM sync_runs WHERE remote = ? AND run = ?').run([number, run]);
      this.database.prepare('DELETE FROM sync_series WHERE remote = ? AND run = ?').run([number, run]);
      this.database.prepare('DELETE FROM sync_files WHERE remote = ? AND owner = ?').run([number, runId]);
    });
  }

  setFacts({ number }: Remote, run: number, facts: string): void {
    this.database
      .prepare('UPDATE sync_runs SET facts = ? WHERE remote = ? AND run = ?')
      .run([facts, number, run]);
  }

  setStatus({ number }: Remote, run: number, status: string): void {
    this.database
      .prepare('UPDATE sync_runs SET status = ? WHERE remote = ? AND run = ?')
      .run([status, number, run]);
  }

  /** The remote has all of the run as it was at a revision. */
  setDone({ number }: Remote, { run, revision }: ChangedRun): void {
    this.database
      .prepare(
        'INSERT INTO sync_runs (remote, run, done_revision) VALUES (?, ?, ?) ' +
          'ON CONFLICT DO UPDATE SET done_revision = excluded.done_revision, error = NULL',
      )
      .run([number, run, revision]);
  }

  setRefused({ number }: Remote, run: number, reason: string): void {
    this.database
      .prepare(
        'INSERT INTO sync_runs (remote, run, done_revision, error) VALUES (?, ?, -1, ?) ' +
          'ON CONFLICT DO UPDATE SET error = excluded.error',
      )
      .run([number, run, wellFormed(reason)]);
  }

  refusals({ number }: Remote): readonly Refusal[] {
    const rows = this.database
      .prepare(
        'SELECT run_id, error FROM sync_runs JOIN tracking_runs ON number = run ' +
          'WHERE remote = ? AND error IS NOT NULL ORDER BY run LIMIT ?',
      )
      .raw()
      .all([number, MOST_REFUSALS]) as [string, string][];
    return rows.map(([what, reason]) => ({ what, reason }));
  }

  seriesOf({ number }: Remote, run: number): ReadonlyMap<string, number> {
    const rows = this.database
      .prepare('SELECT key, points FROM sync_series WHERE remote = ? AND run = ?')
      .raw()
      .all([number, run]) as [string, number][];
    return new Map(rows);
  }

  /** @param points by key, counted from the first. */
  setSeries({ number }: Remote, run: number, points: ReadonlyMap<string, number>): void {
    const put = this.database.prepare('INSERT OR REPLACE INTO sync_series VALUES (?, ?, ?, ?)');
    this.database.transaction(() => {
      for (const [key, count] of points) put.run([number, run, key, count]);
    });
  }

  filesOf({ number }: Remote, owner: string): ReadonlyMap<string, SentFile> {
    const rows = this.database
      .prepare('SELECT path, bytes, modified_ms, sha256 FROM sync_files WHERE remote = ? AND owner = ?')
      .raw()
      .all([number, owner]) as [string, number, number, string][];
    return new Map(rows.map(([path, bytes, modifiedMs, sha256]) => [path, { bytes, modifiedMs, sha256 }]));
  }

  setFile({ number }: Remote, owner: string, path: string, { bytes, modifiedMs, sha256 }: SentFile): void {
    this.database
      .prepare('INSERT OR REPLACE INTO sync_files VALUES (?, ?, ?, ?, ?, ?)')
      .run([number, owner, path, bytes, modifiedMs, sha256]);
  }

  modelOf({ number }: Remote, model: string): SentModel | undefined {
    const [row] = this.database
      .prepare('SELECT remote_model, artifact_uri, facts FROM sync_models WHERE remote = ? AND model = ?')
      .raw()
      .all([number, model]) as [string, string | null, string | null][];
    if (!row) return undefined;
    return { remoteModel: row[0], artifactUri: row[1] ?? undefined, facts: row[2] ?? undefined };
  }

  setModel({ number }: Remote, model: string, { remoteModel, artifactUri, facts }: SentModel): void {
    this.database
      .prepare('INSERT OR REPLACE INTO sync_models VALUES (?, ?, ?, ?, ?)')
      .run([number, model, remoteModel, artifactUri ?? null, facts ?? null]);
  }
}

function selectionOf({ experiments }: Remote): string | null {
  return experiments ? JSON.stringify(experiments) : null;
}
