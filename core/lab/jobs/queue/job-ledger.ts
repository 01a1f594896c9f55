import type { Accounts } from './accounts';
import { rowOf, type QueuedJob, type QueueStore } from './queue-store';

/** A job, and where it stands. */
export interface JobView extends QueuedJob {
  /** From 1, among those that wait for the same engine. */
  readonly position: number | undefined;
}

/** The jobs that have not ended, in memory as on disk, and who wants to know of changes. */
export class JobLedger {
  /** In the order they came. */
  private readonly jobs = new Map<string, QueuedJob>();
  private readonly positions = new Map<string, number>();
  /** By engine: why it does nothing at present. */
  private readonly faults = new Map<string, string>();
  private readonly begunMs: Map<string, number>;
  private readonly listeners = new Set<(key: string) => void>();

  constructor(
    private readonly store: QueueStore,
    private readonly accounts: Accounts,
  ) {
    this.begunMs = new Map(store.lastBegunMs());
    for (const job of store.open()) this.jobs.set(job.key, job);
  }

  add(job: Omit<QueuedJob, 'id'>): QueuedJob {
    const added = this.store.transaction(() => this.store.insert(job));
    this.jobs.set(added.key, added);
    return added;
  }

  /** One that has not ended. */
  get(key: string): QueuedJob | undefined {
    return this.jobs.get(key);
  }

  /** In the order they came. @param steps none: all. */
  of(engine: string, ...steps: QueuedJob['step'][]): readonly QueuedJob[] {
    return this.all().filter(
      (job) => job.engine === engine && (steps.length === 0 || steps.includes(job.step)),
    );
  }

  all(): readonly QueuedJob[] {
    return [...this.jobs.values()];
  }

  /** When a job of this user and priority was handed on last. */
  lastBegunMs(user: string, priority: number): number | undefined {
    return this.begunMs.get(rowOf(user, priority));
  }

  viewOf(job: QueuedJob): JobView {
    const fault = job.step === 'waiting' || job.step === 'handed' ? this.faults.get(job.engine) : undefined;
    return { ...job, reason: fault ?? job.reason, position: this.positions.get(job.key) };
  }

  setFault(engine: string, fault: string | undefined): void {
    if (this.faults.get(engine) === fault) return;
    if (fault === undefined) this.faults.delete(engine);
    else this.faults.set(engine, fault);
    for (const { key } of this.of(engine, 'waiting', 'handed')) this.tell(key);
  }

  /** It waits, and this is its place among those that do. */
  waitOn(job: QueuedJob, position: number, reason: string): void {
    const hasMoved = this.positions.get(job.key) !== position;
    this.positions.set(job.key, position);
    if (job.reason !== reason) this.write({ ...job, reason });
    else if (hasMoved) this.tell(job.key);
  }

  /** Writes a job and, with it, what it is charged for; tells when something has changed that is seen. */
  write(job: QueuedJob, chargeUntilMs?: number): void {
    const before = this.jobs.get(job.key);
    const charged = this.accounts.charged(job, chargeUntilMs);
    if (isSame(before, charged)) return;
    this.store.transaction(() => {
      this.accounts.write(job, charged);
      this.store.update(charged);
    });
    this.accounts.remember(job, charged);
    if (charged.step !== 'waiting') this.positions.delete(job.key);
    if (charged.handedMs !== undefined && charged.handedMs !== before?.handedMs) {
      this.begunMs.set(rowOf(charged.user, charged.priority), charged.handedMs);
    }
    if (charged.step === 'ended') this.jobs.delete(job.key);
    else this.jobs.set(job.key, charged);
    if (!isSame(before, { ...charged, ...(before && chargeOf(before)) })) this.tell(job.key);
  }

  watch(onChange: (key: string) => void): () => void {
    this.listeners.add(onChange);
    return () => this.listeners.delete(onChange);
  }

  private tell(key: string): void {
    for (const listener of this.listeners) listener(key);
  }
}

function chargeOf({ chargedUntilMs, cpuMs, gpuMs }: QueuedJob): Partial<QueuedJob> {
  return { chargedUntilMs, cpuMs, gpuMs };
}

/** Jobs are made anew from each other: a member that differs is another value. */
function isSame(a: QueuedJob | undefined, b: QueuedJob): boolean {
  return (
    a !== undefined && (Object.keys(b) as (keyof QueuedJob)[]).every((member) => a[member] === b[member])
  );
}
