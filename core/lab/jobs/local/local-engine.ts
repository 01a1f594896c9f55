import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

import { systemClock, type Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import { ioError } from '../../../storage';
import { namesIn, removePath } from '../../store/remove-path';
import type { JobEngine, JobNode, JobResources, JobSpec, JobStatus } from '../job-engine';
import { checkJob } from '../job-spec';
import { refuseImage, refuseMissing, refuseTooLarge } from '../refuse-job';
import { fits, missingOf, subtract } from '../resources';

import { ActiveJob } from './active-job';
import { isOver, JobFolder, type JobStart, type KeptStatus } from './job-folder';
import { allowedCpuIds, Slots, totalsOf } from './slots';
import { wakeSupervisor } from './supervisor-start';

export interface LocalEngineOptions {
  /** Of its own; a folder a job is made in it. */
  readonly folder: string;
  /** What jobs may have together; what is not said is what the machine has. */
  readonly totals?: Partial<JobResources>;
  /** Its only node's name; by default the host's. */
  readonly node?: string;
  readonly clock?: Clock;
  /** How often running jobs are looked at. */
  readonly pollMs?: number;
  /** How often memory is looked at. */
  readonly sampleMs?: number;
  /** Idle for this long is told. */
  readonly idleAfterMs?: number;
  /** What processes get that outlive their program. */
  readonly graceMs?: number;
}

const DEFAULTS = { pollMs: 500, sampleMs: 100, idleAfterMs: 60_000, graceMs: 2_000 };

/**
 * Runs jobs on this machine, each held by a supervisor process of its own that outlives the server. First come, first
 * served; priorities are the queue's. Linux only.
 */
export class LocalEngine implements JobEngine {
  readonly name = 'local';
  private readonly slots: Slots;
  private readonly clock: Clock;
  private readonly node: string;
  private readonly settings: typeof DEFAULTS;
  private readonly root: string;
  private readonly listeners = new Set<(key: string) => void>();
  /** In the order they came. */
  private readonly waiting = new Map<string, ActiveJob>();
  private readonly running = new Map<string, ActiveJob>();
  /** What was told last of those in care, to tell changes. */
  private readonly told = new Map<string, string>();
  private cancelPoll: (() => void) | undefined;
  private looking: Promise<void> = Promise.resolve();
  private isClosed = false;

  private constructor(options: LocalEngineOptions) {
    this.root = options.folder;
    this.clock = options.clock ?? systemClock;
    this.node = options.node ?? hostname();
    this.settings = { ...DEFAULTS, ...definedOf(options) };
    this.slots = new Slots(totalsOf(options.totals), allowedCpuIds());
  }

  /**
   * Takes up the jobs that are there already: those that run go on, those that wait do so. One engine a folder.
   * @throws SluiceError `unsupported` where there is no Linux /proc, `io`.
   */
  static async open(options: LocalEngineOptions): Promise<LocalEngine> {
    if (process.platform !== 'linux') {
      throw new SluiceError(
        'unsupported',
        `Jobs can't run on this machine: finding all processes of a job takes Linux's /proc, and this is ` +
          `${process.platform}. Use --engine slurm or ray, or run the lab's server on a Linux machine.`,
        { platform: process.platform },
      );
    }
    const engine = new LocalEngine(options);
    try {
      mkdirSync(engine.root, { recursive: true });
      await engine.sweep();
      await engine.takeUpAll();
    } catch (cause) {
      throw ioError(`Can't use ${engine.root} for jobs`, cause);
    }
    await engine.look();
    engine.poll();
    return engine;
  }

  async submit(key: string, spec: JobSpec): Promise<void> {
    checkJob(key, spec);
    const folder = this.folderOf(key);
    if (!folder.exists) {
      refuseImage(this.name, spec);
      refuseTooLarge(spec.resources, [{ name: this.node, total: this.slots.total }]);
      refuseMissing(spec, spec.environment['PATH'] ?? process.env['PATH'] ?? '');
      await JobFolder.create(this.root, key, this.clock.nowMs(), spec);
    }
    this.takeUp(key, folder);
  }

  async statuses(keys: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
    const found = new Map<string, JobStatus>();
    for (const key of keys) {
      const folder = this.folderOf(key);
      if (folder.exists) found.set(key, this.statusOf(key, folder));
    }
    return found;
  }

  async stop(key: string, graceMs: number): Promise<void> {
    const folder = this.folderOf(key);
    if (!folder.exists || isOver(folder)) return;
    await folder.writeStop(graceMs);
    const stopped: KeptStatus = {
      state: 'stopped',
      endedMs: this.clock.nowMs(),
      reason: 'stopped before it began',
    };
    if (!folder.claim(stopped)) {
      const mark = folder.supervisor();
      if (mark !== undefined) wakeSupervisor(mark);
    }
    await this.look();
  }

  async kept(): Promise<readonly string[]> {
    return (await namesIn(this.root)).filter((name) => !name.startsWith('.'));
  }

  async clear(key: string): Promise<number> {
    const folder = this.folderOf(key);
    if (!folder.exists || this.inCare(key) || !isOver(folder)) return 0;
    return folder.remove();
  }

  async nodes(): Promise<readonly JobNode[]> {
    const { total } = this.slots;
    const waiting = [...this.waiting.values()].map(({ resources }) => resources);
    const free = waiting.reduce(subtract, this.slots.free);
    return [{ name: this.node, total, free, isUp: true }];
  }

  watch(onChange: (key: string) => void): () => void {
    this.listeners.add(onChange);
    return () => this.listeners.delete(onChange);
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.cancelPoll?.();
    this.listeners.clear();
    await this.looking;
  }

  private folderOf(key: string): JobFolder {
    return new JobFolder(join(this.root, key));
  }

  private inCare(key: string): ActiveJob | undefined {
    return this.running.get(key) ?? this.waiting.get(key);
  }

  /** Folders that a process that died had half made or half removed. */
  private async sweep(): Promise<void> {
    const names = await namesIn(this.root);
    for (const name of names.filter((one) => /^\.(?:new|old)-/.test(one)))
      await removePath(join(this.root, name));
  }

  /** What a server that is gone left, in order of submission. What can't be read is tried again when it is asked for. */
  private async takeUpAll(): Promise<void> {
    const jobs: [key: string, folder: JobFolder, submittedMs: number][] = [];
    for (const key of await this.kept()) {
      const folder = this.folderOf(key);
      try {
        if (folder.exists && !isOver(folder)) jobs.push([key, folder, folder.record().submittedMs]);
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
      }
    }
    jobs.sort(([, , a], [, , b]) => a - b);
    for (const [key, folder] of jobs) this.takeUp(key, folder);
  }

  /**
   * Takes a job into care that is not over; one that has begun has its slots already.
   * @throws SluiceError `io`, `corrupt-store` when its files can't be read.
   */
  private takeUp(key: string, folder: JobFolder): void {
    if (this.inCare(key) || isOver(folder)) return;
    const job = new ActiveJob(folder, this.clock, () => void this.look());
    const start = folder.start();
    if (start) {
      const { cpuIds, gpuIds } = start;
      this.slots.retake(key, { resources: job.resources, cpuIds, gpuIds });
      this.running.set(key, job);
      job.goOn();
    } else {
      this.waiting.set(key, job);
      this.startWaiting();
    }
  }

  private startWaiting(): void {
    for (const [key, job] of this.waiting) {
      if (this.isClosed || !fits(job.resources, this.slots.free)) return;
      this.waiting.delete(key);
      this.running.set(key, job);
      const { cpuIds, gpuIds } = this.slots.take(key, job.resources);
      const { sampleMs, idleAfterMs, graceMs } = this.settings;
      const start: JobStart = { gpuIds: [...gpuIds], sampleMs, idleAfterMs, graceMs };
      job.begin(cpuIds ? { ...start, cpuIds: [...cpuIds] } : start);
    }
  }

  private poll(): void {
    this.cancelPoll = this.clock.after(this.settings.pollMs, () => {
      void this.look().then(() => {
        if (!this.isClosed) this.poll();
      });
    });
  }

  /** Sees what has become of the jobs in care; one look at a time. */
  private look(): Promise<void> {
    this.looking = this.looking.then(async () => {
      for (const [key, job] of [...this.running, ...this.waiting]) {
        const isOverNow = await job.look();
        const told = JSON.stringify(this.statusOf(key, job.folder));
        const isNews = told !== this.told.get(key);
        this.told.set(key, told);
        if (isOverNow) this.letGo(key);
        if (isNews) for (const listener of this.listeners) listener(key);
      }
      this.startWaiting();
    });
    return this.looking;
  }

  private letGo(key: string): void {
    this.waiting.delete(key);
    this.running.delete(key);
    this.told.delete(key);
    this.slots.giveBack(key);
  }

  /**
   * Whoever is told that a job is there does not submit it again: it is in care from then on, also when its folder was
   * made although that seemed to fail, or could not be read when this engine opened.
   */
  private statusOf(key: string, folder: JobFolder): JobStatus {
    try {
      this.takeUp(key, folder);
      const kept = folder.status();
      if (!kept) return this.unclaimedStatus(key);
      const { mark: _mark, ...status } = kept;
      const fault = isOver(folder) ? undefined : this.inCare(key)?.fault;
      return { ...(fault !== undefined && { reason: fault }), ...status, node: this.node };
    } catch (error) {
      const { code, message: reason } = SluiceError.from(error);
      return { state: code === 'corrupt-store' ? 'lost' : 'running', node: this.node, reason };
    }
  }

  /** Of a job that no supervisor has told anything of. */
  private unclaimedStatus(key: string): JobStatus {
    const job = this.waiting.get(key);
    if (!job) {
      const fault = this.running.get(key)?.fault;
      return { state: 'running', node: this.node, ...(fault !== undefined && { reason: fault }) };
    }
    const missing = missingOf(job.resources, this.slots.free);
    return {
      state: 'queued',
      reason: missing ? `waits for ${missing}` : 'waits for jobs that came before it',
    };
  }
}

function definedOf(options: LocalEngineOptions): Partial<typeof DEFAULTS> {
  const names = ['pollMs', 'sampleMs', 'idleAfterMs', 'graceMs'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}
