import type { Snapshots } from '../datasets/snapshot/snapshots';
import { hasEnded } from '../jobs/job-state';
import type { JobQueue } from '../jobs/queue/job-queue';
import type { RunStatus } from '../tracking/tracking-types';
import type { TrackingStore } from '../tracking/tracking-store';
import { jobKey, runOfJob, type LaunchedRuns, type StoredRun } from './run-store';
import type { LabRun, RunState } from './run-types';

const MLFLOW_STATUSES: Readonly<Record<RunState, RunStatus>> = {
  preparing: 'SCHEDULED',
  queued: 'SCHEDULED',
  running: 'RUNNING',
  stopping: 'RUNNING',
  succeeded: 'FINISHED',
  failed: 'FAILED',
  stopped: 'KILLED',
  lost: 'FAILED',
};

/** How a run stands. */
export type Standing = Pick<LabRun, 'state'> &
  Partial<
    Pick<
      LabRun,
      'startedMs' | 'endedMs' | 'exitCode' | 'signal' | 'reason' | 'node' | 'position' | 'idleSinceMs'
    >
  >;

/** Runs as they stand: what was asked for and what the job came to; MLflow's record follows. */
export class RunStatuses {
  private readonly listeners = new Set<(run: LabRun) => void>();
  private unwatch: (() => void) | undefined;

  constructor(
    private readonly launched: LaunchedRuns,
    private readonly queue: JobQueue,
    private readonly tracking: TrackingStore,
    private readonly snapshots: Snapshots,
  ) {}

  /** Takes up what happened while nobody listened, and listens. */
  begin(): void {
    this.unwatch = this.queue.watch((key) => this.jobChanged(key));
    for (const run of this.launched.inStage('queued')) this.changed(run);
  }

  view(run: StoredRun): LabRun {
    const { plan, stage, runId } = run;
    const { dataset, parent, ...asked } = plan;
    const base = {
      ...asked,
      runId,
      name: run.name,
      user: run.user,
      experimentId: run.experimentId,
      dataset,
      parent,
      code: this.snapshots.of(runId),
      attempt: run.attempt,
      createdMs: run.createdMs,
    };
    const hasJob = stage === 'queued' || stage === 'ended';
    return { ...base, ...standingOf(run, hasJob ? this.queue.get(jobKey(run)) : undefined) };
  }

  /** Has MLflow's record follow, and tells of it. */
  changed(run: StoredRun): LabRun {
    const view = this.view(run);
    this.follow(view);
    if (run.stage === 'queued' && hasEnded(view)) this.launched.setStage(run.runId, 'ended', run.attempt);
    for (const listener of this.listeners) listener(view);
    return view;
  }

  watch(listener: (run: LabRun) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  close(): void {
    this.unwatch?.();
  }

  private jobChanged(key: string): void {
    const run = this.launched.find(runOfJob(key));
    // A job of an earlier attempt, or of no run.
    if (!run || run.stage !== 'queued' || jobKey(run) !== key) return;
    this.changed(run);
  }

  /** A program tells MLflow itself how it ended; what the job came to counts. */
  private follow({ runId, state, endedMs }: LabRun): void {
    const { info } = this.tracking.runs.get(runId);
    if (info.lifecycleStage === 'deleted') return;
    const status = MLFLOW_STATUSES[state];
    const endMs = endedMs === undefined ? undefined : Math.floor(endedMs);
    if (info.status === status && (endMs === undefined || info.endMs === endMs)) return;
    this.tracking.runs.update(runId, { status, ...(endMs !== undefined && { endMs }) });
  }
}

/** What its stage and its job say of a run. @param job none: there is no job of it. */
export function standingOf(
  { stage, reason: broken, createdMs }: Pick<StoredRun, 'stage' | 'reason' | 'createdMs'>,
  job: Standing | undefined,
): Standing {
  if (stage === 'preparing') return { state: stage };
  if (stage === 'broken') return { state: 'failed', reason: broken, endedMs: createdMs };
  if (!job) return { state: 'lost', reason: 'The queue knows no job of it.' };
  const { state, startedMs, endedMs, exitCode, signal, reason, node, position, idleSinceMs } = job;
  return { state, startedMs, endedMs, exitCode, signal, reason, node, position, idleSinceMs };
}
