import { SluiceError } from '../../contract';
import type { RunRecord, RunRequest, TraceColumns } from '../../contract';
import { inputName } from '../inputs/load-input';
import type { RunPlan } from '../models/planner';
import { ActiveRun } from './active-run';
import type { RunParts, StartOptions } from './active-run';
import { KEPT_RUNS } from './run-history';
import type { RunHistory } from './run-history';
import type { TraceFiles } from './trace-files';

/** Traces kept: the latest inference of each of the last runs. */
const KEPT_TRACES = 20;

export interface RunsParts extends RunParts {
  /** Refuses what can't run, before the run exists. @throws SluiceError */
  readonly plan: (request: RunRequest) => RunPlan;
  /** Absent: runs are forgotten with the process. */
  readonly history?: Pick<RunHistory, 'others' | 'save'>;
  /** Absent: traces are forgotten with the process. */
  readonly traces?: Pick<TraceFiles, 'ids' | 'read' | 'save'>;
}

interface Entry {
  readonly run: ActiveRun;
  readonly ended: Promise<RunRecord>;
}

/** All runs of this process, and what is remembered of other ones. */
export class Runs {
  /** In the order started. */
  private readonly entries = new Map<string, Entry>();
  /** Ids of other processes' runs that were told, of those that are kept. */
  private told: ReadonlySet<string> = new Set();

  constructor(private readonly parts: RunsParts) {}

  /** Newest first. @throws SluiceError `io` when those of other processes can't be read. */
  list(): readonly RunRecord[] {
    const others = this.others();
    this.told = idsOf(others);
    return [...this.own(), ...others]
      .sort((a, b) => b.startedAt.localeCompare(a.startedAt))
      .slice(0, KEPT_RUNS);
  }

  /** Whether a run is one of this process. */
  isOwn(runId: string): boolean {
    return this.entries.has(runId);
  }

  /** Tells of the runs that other processes have added since this was last called or the runs were listed. */
  tellOthers(): void {
    const { told } = this;
    const others = this.others();
    this.told = idsOf(others);
    for (const run of others) if (!told.has(run.id)) this.parts.bus.emit('run', run);
  }

  /**
   * Starts a run and returns its id; events tell the rest.
   * @throws SluiceError when it can't run as asked: `not-found`, `stale-store`, `budget-too-small`.
   */
  start(request: RunRequest, options: StartOptions = {}): string {
    const plan = this.parts.plan(request);
    const isRepeat = this.isRepeat(request, plan);
    const run = new ActiveRun(this.parts, request, plan, isRepeat, () => this.dropOldTraces());
    const { id } = run.record;
    const ended = run.execute(options).then(async (record) => {
      const trace = run.trace();
      // Before the history: whoever reads of the run there finds its trace.
      if (trace) await this.parts.traces?.save(trace);
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
    const entry = this.entries.get(runId);
    if (entry) entry.run.stop();
    else if (!this.others().some(({ id }) => id === runId)) throw unknownRun(runId);
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
    const trace = this.entries.get(runId)?.run.trace() ?? this.parts.traces?.read(runId);
    if (trace) return trace;
    if (!this.list().some(({ id }) => id === runId)) throw unknownRun(runId);
    throw new SluiceError('not-found', `The run has no trace: only the latest runs keep theirs.`, { runId });
  }

  private find(runId: string): Entry {
    const entry = this.entries.get(runId);
    if (entry) return entry;
    throw unknownRun(runId);
  }

  private isRepeat({ model, mode, input }: RunRequest, plan: RunPlan): boolean {
    const before = this.own().find((run) => run.model === model);
    return (
      before?.stats !== undefined &&
      before.state !== 'failed' &&
      before.mode === mode &&
      before.budgetBytes === plan.detail.budgetBytes &&
      before.inputName === inputName(input)
    );
  }

  /** Newest first. */
  private own(): readonly RunRecord[] {
    return [...this.entries.values()].map(({ run }) => run.record).reverse();
  }

  private others(): readonly RunRecord[] {
    const records = this.parts.history?.others() ?? [];
    const traced = records.length === 0 ? undefined : this.parts.traces?.ids();
    return traced ? records.map((run) => (traced.has(run.id) ? { ...run, hasTrace: true } : run)) : records;
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
    this.parts.history?.save(this.own());
  }
}

function idsOf(runs: readonly RunRecord[]): ReadonlySet<string> {
  return new Set(runs.map(({ id }) => id));
}

function unknownRun(runId: string): SluiceError {
  return new SluiceError('not-found', `There is no run "${runId}".`, { runId });
}
