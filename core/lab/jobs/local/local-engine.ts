import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';

import { systemClock, workerFile, type Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import { ioError } from '../../../storage';
import type { JobEngine, JobNode, JobResources, JobSpec, JobStatus } from '../job-engine';
import { checkJob } from '../job-spec';
import { hasEnded } from '../job-state';
import { namesIn, removePath } from '../../store/remove-path';
import { refuseImage, refuseMissing, refuseTooLarge } from '../refuse-job';
import { fits, missingOf, subtract } from '../resources';

import { JobFolder, type JobRecord, type KeptStatus } from './job-folder';
import { endLeftovers } from './leftovers';
import { baseEnvironment } from './program-environment';
import { allowedCpuIds, Slots, totalsOf } from './slots';

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

/** A supervisor is small: it needs neither a large heap nor many threads. */
const SUPERVISOR_FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=1'];

interface ActiveJob {
  readonly folder: JobFolder;
  readonly record: JobRecord;
  /** What was told last, to tell changes. */
  told: string;
}

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
  /** Why a job's supervisor did not start, until that is on disk. */
  private readonly unstarted = new Map<string, string>();
  /** What went wrong in the engine's own care of a job, not in the job. */
  private readonly faults = new Map<string, string>();
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
    } catch (cause) {
      throw ioError(`Can't use ${engine.root} for jobs`, cause);
    }
    engine.takeUp();
    await engine.look();
    engine.poll();
    return engine;
  }

  async submit(key: string, spec: JobSpec): Promise<void> {
    checkJob(key, spec);
    const folder = new JobFolder(join(this.root, key));
    if (!folder.exists) {
      refuseImage(this.name, spec);
      refuseTooLarge(spec.resources, [{ name: this.node, total: this.slots.total }]);
      refuseMissing(spec, spec.environment['PATH'] ?? process.env['PATH'] ?? '');
      await JobFolder.create(this.root, key, this.clock.nowMs(), spec);
    }
    this.enqueue(key, folder);
  }

  async statuses(keys: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
    const found = new Map<string, JobStatus>();
    for (const key of keys) {
      const folder = new JobFolder(join(this.root, key));
      if (folder.exists) found.set(key, this.statusOf(key, folder));
    }
    return found;
  }

  async stop(key: string, graceMs: number): Promise<void> {
    const folder = new JobFolder(join(this.root, key));
    if (!folder.exists || isOver(folder)) return;
    await folder.writeStop(graceMs);
    const stopped: KeptStatus = {
      state: 'stopped',
      endedMs: this.clock.nowMs(),
      reason: 'stopped before it began',
    };
    if (!folder.claim(stopped)) {
      const mark = folder.supervisor();
      if (mark !== undefined) wake(mark);
    }
    await this.look();
  }

  async kept(): Promise<readonly string[]> {
    return (await namesIn(this.root)).filter((name) => !name.startsWith('.'));
  }

  async clear(key: string): Promise<number> {
    const folder = new JobFolder(join(this.root, key));
    if (!folder.exists || this.running.has(key) || this.waiting.has(key) || !isOver(folder)) return 0;
    this.faults.delete(key);
    return folder.remove();
  }

  async nodes(): Promise<readonly JobNode[]> {
    const { total } = this.slots;
    const waiting = [...this.waiting.values()].map(({ record }) => record.spec.resources);
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

  /** Folders that a process that died had half made or half removed. */
  private async sweep(): Promise<void> {
    const names = await namesIn(this.root);
    for (const name of names.filter((one) => /^\.(?:new|old)-/.test(one)))
      await removePath(join(this.root, name));
  }

  /** What a server that is gone left: in order of submission. */
  private takeUp(): void {
    const jobs: [string, ActiveJob][] = [];
    for (const key of readdirSync(this.root)) {
      const folder = new JobFolder(join(this.root, key));
      if (key.startsWith('.') || !folder.exists) continue;
      try {
        if (!isOver(folder)) jobs.push([key, { folder, record: folder.record(), told: '' }]);
      } catch (error) {
        this.faults.set(key, SluiceError.from(error).message);
      }
    }
    jobs.sort(([, a], [, b]) => a.record.submittedMs - b.record.submittedMs);
    for (const [key, job] of jobs) {
      const start = job.folder.start();
      // It has its slots already; whether its supervisor came up is seen below, and another one does no harm.
      if (start) {
        this.slots.retake(key, {
          resources: job.record.spec.resources,
          cpuIds: start.cpuIds,
          gpuIds: start.gpuIds,
        });
        this.running.set(key, job);
        if (!job.folder.isClaimed) this.spawnSupervisor(key, job);
      } else {
        this.waiting.set(key, job);
      }
    }
  }

  /** Of a job that is known nothing happens. A folder may be there although making it seemed to fail. */
  private enqueue(key: string, folder: JobFolder): void {
    if (this.waiting.has(key) || this.running.has(key) || isOver(folder)) return;
    this.waiting.set(key, { folder, record: folder.record(), told: '' });
    this.startWaiting();
  }

  private startWaiting(): void {
    for (const [key, job] of this.waiting) {
      const { resources } = job.record.spec;
      if (this.isClosed || !fits(resources, this.slots.free)) return;
      this.waiting.delete(key);
      this.running.set(key, job);
      const { cpuIds, gpuIds } = this.slots.take(key, resources);
      const { sampleMs, idleAfterMs, graceMs } = this.settings;
      const start = {
        ...(cpuIds && { cpuIds: [...cpuIds] }),
        gpuIds: [...gpuIds],
        sampleMs,
        idleAfterMs,
        graceMs,
      };
      job.folder
        .writeStart(start)
        .then(() => this.spawnSupervisor(key, job))
        .catch((error: unknown) => this.giveUp(key, error));
    }
  }

  private spawnSupervisor(key: string, job: ActiveJob): void {
    const log = openSync(job.folder.supervisorLog, 'a');
    const args = [...SUPERVISOR_FLAGS, workerFile('lab-supervisor'), resolve(job.folder.path)];
    const child = spawn(process.execPath, args, {
      cwd: '/',
      // Inside Electron the executable is Electron itself; this makes it behave as Node.
      env: { ...baseEnvironment(process.env), ELECTRON_RUN_AS_NODE: '1' },
      stdio: ['ignore', 'ignore', log],
      detached: true,
    });
    closeSync(log);
    child.unref();
    child.once('error', (error) => this.giveUp(key, error));
    child.once('exit', (code) => {
      if (code !== 0 && !job.folder.isClaimed) this.giveUp(key, lastLine(job.folder.supervisorLog));
      void this.look();
    });
  }

  /** Its supervisor can't be started; it has not run and never will. */
  private giveUp(key: string, why: unknown): void {
    this.unstarted.set(key, why instanceof Error ? why.message : String(why));
    void this.look();
  }

  /** Writes that a job was given up. @throws SluiceError `io`: each look tries again until the disk takes it. */
  private writeGivenUp(key: string, { folder }: ActiveJob): void {
    const why = this.unstarted.get(key);
    if (why === undefined) return;
    const reason = `its supervisor did not start: ${why}`;
    folder.claim({ state: 'failed', endedMs: this.clock.nowMs(), reason });
    this.unstarted.delete(key);
  }

  private poll(): void {
    this.cancelPoll = this.clock.after(this.settings.pollMs, () => {
      void this.look().then(() => {
        if (!this.isClosed) this.poll();
      });
    });
  }

  /** Sees what has become of the jobs; one look at a time. */
  private look(): Promise<void> {
    this.looking = this.looking.then(async () => {
      for (const [key, job] of [...this.running, ...this.waiting]) {
        try {
          this.writeGivenUp(key, job);
          await this.lookAt(key, job);
          this.faults.delete(key);
        } catch (error) {
          // A full disk, say: it is looked at again, and the others go on.
          this.faults.set(key, SluiceError.from(error).message);
        }
      }
      this.startWaiting();
    });
    return this.looking;
  }

  private async lookAt(key: string, job: ActiveJob): Promise<void> {
    const { folder } = job;
    if (folder.isClaimed && !isOver(folder) && folder.supervisor() === undefined && !isOver(folder)) {
      if (!(await endLeftovers(job.record.token, folder.status()?.mark, this.clock))) return;
      const reason =
        'its supervisor was killed, and how the program ended can not be told; what was left of it was ended';
      folder.giveBackReserve();
      await folder.writeStatus({ ...folder.status(), state: 'lost', endedMs: this.clock.nowMs(), reason });
    }
    if (isOver(folder)) {
      // What the last look met is over: it must not pass for how the job ended.
      this.faults.delete(key);
      this.waiting.delete(key);
      this.running.delete(key);
      this.unstarted.delete(key);
      this.slots.giveBack(key);
    }
    const now = JSON.stringify(this.statusOf(key, folder));
    if (now === job.told) return;
    job.told = now;
    this.changed(key);
  }

  private changed(key: string): void {
    for (const listener of this.listeners) listener(key);
  }

  private statusOf(key: string, folder: JobFolder): JobStatus {
    const fault = this.faults.get(key);
    if (fault !== undefined && !this.running.has(key) && !this.waiting.has(key)) {
      return { state: 'lost', node: this.node, reason: fault };
    }
    const kept = folder.status();
    if (kept) {
      const { mark: _mark, ...status } = kept;
      return { ...status, node: this.node };
    }
    const job = this.waiting.get(key);
    if (!job) return { state: 'running', node: this.node };
    const missing = missingOf(job.record.spec.resources, this.slots.free);
    return {
      state: 'queued',
      reason: missing ? `waits for ${missing}` : 'waits for jobs that came before it',
    };
  }
}

/** Makes a supervisor look at what it was asked; should it have ended just now, that is seen anyway. */
function wake(mark: string): void {
  try {
    process.kill(Number.parseInt(mark, 10), 'SIGTERM');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH')
      throw ioError(`Can't reach the supervisor ${mark}`, cause);
  }
}

function isOver(folder: JobFolder): boolean {
  const status = folder.status();
  return status !== undefined && hasEnded(status);
}

function definedOf(options: LocalEngineOptions): Partial<typeof DEFAULTS> {
  const names = ['pollMs', 'sampleMs', 'idleAfterMs', 'graceMs'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (options[name] === undefined ? [] : [[name, options[name]]])),
  );
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '';
  } catch (cause) {
    // Its folder may have gone with the run.
    return SluiceError.from(cause).message;
  }
}
