import { systemClock, type Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import type { LabDatabase } from '../../store/lab-database';
import type { JobEngine, JobNode, JobSpec } from '../job-engine';
import { checkJob } from '../job-spec';

import { Accounts, type DayAccount } from './accounts';
import { askStop, EngineTurn } from './engine-turn';
import { JobLedger, type JobView } from './job-ledger';
import { DEFAULT_POLICY, type DayBudget, type QueuePolicy } from './queue-policy';
import { QueueStore } from './queue-store';

export interface JobQueueOptions {
  readonly database: LabDatabase;
  /** By name. */
  readonly engines: readonly JobEngine[];
  readonly policy?: Partial<QueuePolicy>;
  readonly clock?: Clock;
  /** How often use is charged and limits are looked at. */
  readonly tickMs?: number;
}

export interface JobRequest {
  readonly key: string;
  readonly user: string;
  readonly engine: string;
  /** -100 to 100, higher first; by default 0. */
  readonly priority?: number;
  /** It is stopped after running this long; with one it may fill gaps before large jobs. */
  readonly limitMs?: number;
  readonly spec: JobSpec;
}

const TICK_MS = 1_000;

/**
 * The queue above all engines: it keeps jobs over restarts, hands each to its engine when its turn has come and there
 * is room, charges what they hold, and stops those beyond their limits. What it says is written before it is done, and
 * handing on is repeated until the engine has said yes: with keys that run once, nothing is lost or run twice.
 */
export class JobQueue {
  private readonly store: QueueStore;
  private readonly accounts: Accounts;
  private readonly policy: QueuePolicy;
  private readonly clock: Clock;
  private readonly ledger: JobLedger;
  private readonly turns: readonly EngineTurn[];
  private readonly unwatch: readonly (() => void)[];
  private ticking: Promise<void> | undefined;
  private isTickWanted = false;
  private isClosed = false;
  private cancelTick: (() => void) | undefined;

  /** Takes up what is in the database, and begins. */
  constructor(private readonly options: JobQueueOptions) {
    this.store = new QueueStore(options.database);
    this.policy = { ...DEFAULT_POLICY, ...options.policy };
    this.accounts = new Accounts(this.store, this.policy);
    this.clock = options.clock ?? systemClock;
    this.ledger = new JobLedger(this.store, this.accounts);
    const { engines } = options;
    this.turns = engines.map(
      (one) => new EngineTurn(one, this.ledger, this.accounts, this.policy, this.clock),
    );
    this.unwatch = engines.map((engine) => engine.watch(() => void this.tick()));
    this.scheduleTick();
    void this.tick();
  }

  /**
   * Takes a job; it is on disk when this returns. Of a key that was submitted before nothing happens.
   * @throws SluiceError `bad-input` (no job, unknown engine, more than a user may have), `overloaded` (the user's budget
   * of today is used up, or too many of the user's jobs wait; details: retryAfterSec).
   */
  submit(request: JobRequest): JobView {
    const { key, user, engine, priority = 0, limitMs, spec } = request;
    const known = this.get(key);
    if (known) return known;
    checkJob(key, spec);
    this.refuse(request, priority);
    const nowMs = this.clock.nowMs();
    this.accounts.refuseBeyondBudget(user, spec.resources, nowMs);
    const job = this.ledger.add({
      ...NEW_JOB,
      key,
      user,
      engine,
      priority,
      limitMs,
      spec,
      submittedMs: nowMs,
    });
    void this.tick();
    return this.ledger.viewOf(job);
  }

  /**
   * Asks a job to end; of one that has ended nothing happens.
   * @throws SluiceError `not-found`.
   */
  stop(key: string, graceMs: number, reason = 'stopped on request'): void {
    const job = this.ledger.get(key);
    if (!job) {
      if (this.store.get(key)) return;
      throw new SluiceError('not-found', `There is no job ${key}. Look it up in the queue.`, { key });
    }
    askStop(this.ledger, job, graceMs, this.clock.nowMs(), reason);
    void this.tick();
  }

  get(key: string): JobView | undefined {
    const job = this.ledger.get(key) ?? this.store.get(key);
    return job && this.ledger.viewOf(job);
  }

  /** Those that have not ended: first those that were handed on, then those that wait, next first. */
  open(): readonly JobView[] {
    const views = this.ledger.all().map((job) => this.ledger.viewOf(job));
    return views.sort((a, b) => (a.position ?? 0) - (b.position ?? 0) || a.id - b.id);
  }

  /** The newest that have ended, newest first. */
  ended(most: number, user?: string): readonly JobView[] {
    return this.store.ended(most, user).map((job) => this.ledger.viewOf(job));
  }

  /** The nodes of all engines that can be reached, and whose they are. */
  async nodes(): Promise<readonly (JobNode & { readonly engine: string })[]> {
    const all = await Promise.allSettled(
      this.options.engines.map(async (engine) =>
        (await engine.nodes()).map((node) => ({ ...node, engine: engine.name })),
      ),
    );
    return all.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }

  /**
   * Has the engine remove what it keeps of a job that has ended; of another nothing happens, and the queue's own record
   * stays, so that the key never runs again. @returns bytes freed. @throws SluiceError `io`.
   */
  async forget(key: string): Promise<number> {
    const job = this.ledger.get(key) ?? this.store.get(key);
    const engine = this.options.engines.find(({ name }) => name === job?.engine);
    if (job?.step !== 'ended' || !engine) return 0;
    // How it ended is on the disk before the engine loses it.
    this.options.database.flush();
    return engine.clear(key);
  }

  /** `forget` of all that engines keep. @param isNeeded asked by key. @returns bytes freed. @throws SluiceError `io`. */
  async forgetEnded(isNeeded: (key: string) => boolean): Promise<number> {
    let freedBytes = 0;
    for (const engine of this.options.engines) {
      for (const key of await engine.kept()) if (!isNeeded(key)) freedBytes += await this.forget(key);
    }
    return freedBytes;
  }

  /** What a user has used today (UTC). */
  account(user: string): DayAccount {
    return this.accounts.day(user, this.clock.nowMs());
  }

  /** @param budget undefined: the same as everybody. */
  setBudget(user: string, budget: DayBudget | undefined): void {
    this.accounts.setBudget(user, budget);
    void this.tick();
  }

  /** Calls back when a job has changed. @returns what ends it. */
  watch(onChange: (key: string) => void): () => void {
    return this.ledger.watch(onChange);
  }

  /** Lets go; jobs and engines go on. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.cancelTick?.();
    for (const unwatch of this.unwatch) unwatch();
    await this.ticking;
  }

  private refuse({ user, engine, limitMs, spec: { resources } }: JobRequest, priority: number): void {
    const { mostPerUser: most } = this.policy;
    const faults: string[] = [];
    const names = this.options.engines.map(({ name }) => name);
    if (!names.includes(engine)) faults.push(`no engine "${engine}" (there are: ${names.join(', ')})`);
    if (user === '' || user.length > 100) faults.push('a user is 1 to 100 characters');
    if (!Number.isInteger(priority) || Math.abs(priority) > 100)
      faults.push(`priority ${priority} is not within -100..100`);
    if (limitMs !== undefined && !(limitMs > 0))
      faults.push(`a time limit of ${limitMs} ms is not more than none`);
    if (resources.cpus > most.cpus)
      faults.push(`${user} may have ${most.cpus} CPUs at once, not ${resources.cpus}`);
    if (resources.gpus > most.gpus)
      faults.push(`${user} may have ${most.gpus} GPUs at once, not ${resources.gpus}`);
    if (faults.length > 0) throw new SluiceError('bad-input', `Can't queue the job: ${faults.join('; ')}.`);
    const waiting = this.ledger.all().filter((job) => job.user === user && job.step === 'waiting').length;
    if (waiting < most.waiting) return;
    throw new SluiceError(
      'overloaded',
      `${user} has ${waiting} jobs waiting, the most allowed. Submit more when some have begun, or stop some.`,
      { user, retryAfterSec: 60 },
    );
  }

  private scheduleTick(): void {
    this.cancelTick = this.clock.after(this.options.tickMs ?? TICK_MS, () => {
      void this.tick().then(() => {
        if (!this.isClosed) this.scheduleTick();
      });
    });
  }

  /** Brings all up to date; asked for while it does, it does so once more. */
  private tick(): Promise<void> {
    this.isTickWanted = true;
    this.ticking ??= this.tickWhileWanted();
    return this.ticking;
  }

  private async tickWhileWanted(): Promise<void> {
    // What was asked for in one turn of the event loop is done together.
    await Promise.resolve();
    while (this.isTickWanted && !this.isClosed) {
      this.isTickWanted = false;
      // Side by side: an engine that can't be reached holds up its own jobs only.
      const again = await Promise.all(this.turns.map((turn) => turn.run()));
      if (again.includes(true)) this.isTickWanted = true;
    }
    this.ticking = undefined;
  }
}

const NEW_JOB = {
  step: 'waiting',
  state: 'queued',
  node: undefined,
  handedMs: undefined,
  startedMs: undefined,
  endedMs: undefined,
  exitCode: undefined,
  signal: undefined,
  reason: undefined,
  idleSinceMs: undefined,
  stopReason: undefined,
  stopGraceMs: undefined,
  chargedUntilMs: undefined,
  cpuMs: 0,
  gpuMs: 0,
} as const;
