import type { Clock } from '../../base';
import type { LabPart } from '../../contract';
import type { LabDatabase } from '../store/lab-database';
import { TRIGGERS } from './change-triggers';

/** What has changed since a revision. */
export interface ChangedParts {
  readonly revision: string;
  readonly parts: readonly LabPart[];
}

/** How often somebody who waits for a change looks again. */
const LOOK_MS = 250;

/**
 * What has changed since the lab was opened: the database itself writes it down with each change, so that no way to change
 * something can forget it. Revisions grow; those of another opening mean nothing.
 */
export class LabChanges {
  private readonly mark;
  private readonly markRun;
  private readonly readRevision;
  private readonly readParts;
  private readonly readRuns;

  /** @param epoch names this opening. */
  constructor(
    database: LabDatabase,
    private readonly clock: Clock,
    private readonly epoch: string,
  ) {
    database.execute(TRIGGERS);
    const remove = database.prepare('DELETE FROM lab_changes WHERE what = ?');
    const insert = database.prepare('INSERT INTO lab_changes (what) VALUES (?)');
    const findRun = database.prepare('SELECT number FROM tracking_runs WHERE run_id = ?').raw();
    this.mark = (what: LabPart | number): void => {
      remove.run(what);
      insert.run(what);
    };
    this.markRun = (runId: string): void => {
      const [row] = findRun.all(runId) as [number][];
      if (row) this.mark(row[0]);
    };
    this.readRevision = database.prepare('SELECT coalesce(max(seq), 0) FROM lab_changes').raw();
    this.readParts = database
      .prepare("SELECT DISTINCT iif(typeof(what) = 'integer', 'runs', what) FROM lab_changes WHERE seq > ?")
      .raw();
    this.readRuns = database
      .prepare("SELECT what FROM lab_changes WHERE seq > ? AND typeof(what) = 'integer'")
      .raw();
  }

  get revision(): string {
    return `${this.epoch}.${this.sequence()}`;
  }

  /** Of what is not in the database. */
  touch(part: LabPart): void {
    this.mark(part);
  }

  /** Of what is not in the database: its place in the queue. Nothing for what is no run. */
  touchRun(runId: string): void {
    this.markRun(runId);
  }

  /** Numbers of the runs that may have changed; undefined: all may have. */
  runsSince(revision: string | undefined): readonly number[] | undefined {
    const since = this.sequenceOf(revision);
    return since === undefined ? undefined : (this.readRuns.all(since) as [number][]).map(([run]) => run);
  }

  /** Nothing has changed since no revision: whoever asks does not know anything yet. */
  partsSince(revision: string | undefined): ChangedParts {
    const since = this.sequenceOf(revision);
    if (since === undefined) return { revision: this.revision, parts: [] };
    const rows = this.readParts.all(since) as [LabPart][];
    return { revision: this.revision, parts: rows.map(([part]) => part) };
  }

  /** As `partsSince`; with nothing to tell it waits for something. */
  async untilChange(
    revision: string | undefined,
    waitMs: number,
    signal: AbortSignal,
  ): Promise<ChangedParts> {
    const untilMs = this.clock.nowMs() + waitMs;
    for (;;) {
      const changed = this.partsSince(revision);
      const isKnown = this.sequenceOf(revision) !== undefined;
      const leftMs = untilMs - this.clock.nowMs();
      if (changed.parts.length > 0 || !isKnown || leftMs <= 0 || signal.aborted) return changed;
      await this.pause(Math.min(LOOK_MS, leftMs), signal);
    }
  }

  private pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const cancel = this.clock.after(ms, done);
      signal.addEventListener('abort', done);
    });
  }

  private sequence(): number {
    return (this.readRevision.all() as [[number]])[0][0];
  }

  private sequenceOf(revision: string | undefined): number | undefined {
    const [epoch, sequence] = revision?.split('.') ?? [];
    if (epoch !== this.epoch || sequence === undefined || !/^\d{1,15}$/.test(sequence)) return undefined;
    const number = Number(sequence);
    return number <= this.sequence() ? number : undefined;
  }
}
