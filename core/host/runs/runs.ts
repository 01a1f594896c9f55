import { SluiceError } from '../../contract';
import type { RunRecord, RunRequest, TraceColumns } from '../../contract';
import type { RunPlan } from '../planner';
import type { StateFile } from '../state-file';
import { ActiveRun } from './active-run';
import type { RunParts, StartOptions } from './active-run';
import { KEPT_RUNS } from './run-history';

/** Traces kept: the latest inference of each of the last runs. */
const KEPT_TRACES = 20;

export interface RunsParts extends RunParts {
  /** Refuses what can't run, before the run exists. @throws SluiceError */
  readonly plan: (request: RunRequest) => RunPlan;
  /** Absent: runs are forgotten with the process. */
  readonly history?: StateFile<readonly RunRecord[]>;
  /** Runs of earlier processes, newest first. */
  readonly past?: readonly RunRecord[];
}

interface Entry {
  readonly run: ActiveRun;
  readonly ended: Promise<RunRecord>;
}

/** All runs of this process, and what is remembered of earlier ones. */
export class Runs {
  /** In the order started. */
  private readonly entries = new Map<string, Entry>();
  private readonly past: readonly RunRecord[];

  constructor(private readonly parts: RunsParts) {
    this.past = parts.past ?? [];
  }

  /** Newest first. */
  list(): readonly RunRecord[] {
    const own = [...this.entries.values()].map(({ run }) => run.record).reverse();
    return [...own, ...this.past].slice(0, KEPT_RUNS);
  }

  /**
   * Starts a run and returns its id; events tell the rest.
   * @throws SluiceError when it can't run as asked: `not-found`, `stale-store`, `budget-too-small`.
   */
  start(request: RunRequest, options: StartOptions = {}): string {
    const plan = this.parts.plan(request);
    const run = new ActiveRun(this.parts, request, plan, () => this.dropOldTraces());
    const { id } = run.record;
    const ended = run.execute(options).then((record) => {
      this.forgetOld();
      this.save();
      return record;
    });
    this.entries.set(id, { run, ended });
    this.save();
    return id;
  }

  /** Stops a run; one that has ended already is left as it is. @throws SluiceError `not-found`. */
  stop(runId: string): void {
    if (!this.past.some(({ id }) => id === runId)) this.find(runId).run.stop();
  }

  /** Stops all runs and waits for them to end. */
  async stopAll(): Promise<void> {
    for (const { run } of this.entries.values()) run.stop();
    await Promise.all([...this.entries.values()].map(({ ended }) => ended));
  }

  /** Resolves to the record of the run once it has ended. @throws SluiceError `not-found`. */
  finished(runId: string): Promise<RunRecord> {
    return this.find(runId).ended;
  }

  /** Spans of the latest inference. @throws SluiceError `not-found` when there are none (any more). */
  trace(runId: string): TraceColumns {
    const trace = this.entries.get(runId)?.run.trace();
    if (trace) return trace;
    const isKnown = this.list().some(({ id }) => id === runId);
    throw new SluiceError(
      'not-found',
      isKnown
        ? `The run has no trace: only the last ${KEPT_TRACES} runs since the engine started keep theirs.`
        : `There is no run "${runId}".`,
      { runId },
    );
  }

  private find(runId: string): Entry {
    const entry = this.entries.get(runId);
    if (entry) return entry;
    throw new SluiceError('not-found', `There is no run "${runId}".`, { runId });
  }

  /** A run that is about to have a trace makes the oldest ended one lose its own. */
  private dropOldTraces(): void {
    const traced = [...this.entries.values()].filter(({ run }) => run.record.hasTrace);
    for (const { run } of traced.slice(0, Math.max(0, traced.length + 1 - KEPT_TRACES))) {
      if (!run.isRunning) run.dropTrace();
    }
  }

  private forgetOld(): void {
    const ended = [...this.entries].filter(([, { run }]) => !run.isRunning);
    for (const [id] of ended.slice(0, Math.max(0, ended.length - KEPT_RUNS))) this.entries.delete(id);
  }

  private save(): void {
    this.parts.history?.write(this.list());
  }
}
