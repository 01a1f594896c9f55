import { SluiceError } from '../contract';
import type { Job } from '../contract';
import type { EventBus } from './event-bus';
import { isoTime } from './host-clock';
import type { HostClock } from './host-clock';

/** Ended jobs kept for a console that opens later. */
const KEPT_ENDED = 20;
/** Progress of one phase is told at most this often. */
const PROGRESS_EVERY_MS = 100;

export interface JobProgress {
  readonly phase: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export type JobWork<T> = (report: (progress: JobProgress) => void, signal: AbortSignal) => Promise<T>;

/** Long operations: each can be watched by `job` events and cancelled. */
export class Jobs {
  private readonly jobs = new Map<string, { job: Job; readonly abort: AbortController }>();
  private readonly working = new Set<Promise<unknown>>();

  constructor(
    private readonly bus: EventBus,
    private readonly clock: HostClock,
  ) {}

  list(): readonly Job[] {
    return [...this.jobs.values()].map(({ job }) => job);
  }

  /** Stops a running job; one that has ended already is left as it is. @throws SluiceError `not-found`. */
  cancel(jobId: string): void {
    const entry = this.jobs.get(jobId);
    if (!entry) {
      throw new SluiceError('not-found', `No job has the id "${jobId}"; it may have ended long ago.`, {
        jobId,
      });
    }
    entry.abort.abort();
  }

  /** Stops everything and waits for it to end. */
  async cancelAll(): Promise<void> {
    for (const { abort } of this.jobs.values()) abort.abort();
    await Promise.allSettled(this.working);
  }

  /**
   * Runs `work` as a job and gives its result.
   * @throws SluiceError `conflict` when the id is taken; what `work` throws; `cancelled` after a cancel.
   */
  async run<T>(start: Pick<Job, 'id' | 'kind' | 'subject'>, work: JobWork<T>): Promise<T> {
    if (this.jobs.has(start.id)) {
      throw new SluiceError('conflict', `A job with the id "${start.id}" exists; choose another.`, {
        jobId: start.id,
      });
    }
    const entry = { job: this.newJob(start), abort: new AbortController() };
    this.jobs.set(start.id, entry);
    this.change(entry, {});
    const { signal } = entry.abort;
    const working = work(this.reporter(entry), signal);
    this.working.add(working);
    try {
      const result = await working;
      this.change(entry, { state: 'done' });
      return result;
    } catch (thrown) {
      const error = signal.aborted ? cancelledBy(thrown, start) : SluiceError.from(thrown);
      this.change(entry, {
        state: error.code === 'cancelled' ? 'cancelled' : 'failed',
        error: error.toWire(),
      });
      throw error;
    } finally {
      this.working.delete(working);
      this.forgetOld();
    }
  }

  private newJob(start: Pick<Job, 'id' | 'kind' | 'subject'>): Job {
    const startedAt = isoTime(this.clock.nowMs());
    return { ...start, phase: 'start', doneBytes: 0, totalBytes: 0, state: 'running', startedAt };
  }

  /** Every phase is told, and within one the progress at most every 100 ms. */
  private reporter(entry: { job: Job }): (progress: JobProgress) => void {
    let toldMs = -Infinity;
    return ({ phase, doneBytes, totalBytes }) => {
      const nowMs = this.clock.nowMs();
      const isNews = phase !== entry.job.phase || nowMs - toldMs >= PROGRESS_EVERY_MS;
      if (!isNews || entry.job.state !== 'running') return;
      toldMs = nowMs;
      this.change(entry, { phase, doneBytes, totalBytes });
    };
  }

  private change(entry: { job: Job }, change: Partial<Job>): void {
    entry.job = { ...entry.job, ...change };
    this.bus.emit('job', entry.job);
  }

  private forgetOld(): void {
    const ended = [...this.jobs].filter(([, { job }]) => job.state !== 'running');
    for (const [id] of ended.slice(0, Math.max(0, ended.length - KEPT_ENDED))) this.jobs.delete(id);
  }
}

function cancelledBy(thrown: unknown, { kind, subject }: Pick<Job, 'kind' | 'subject'>): SluiceError {
  if (thrown instanceof SluiceError && thrown.code === 'cancelled') return thrown;
  return new SluiceError('cancelled', `The ${kind} of ${subject} was cancelled.`, {}, { cause: thrown });
}
