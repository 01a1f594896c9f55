import { userInfo } from 'node:os';
import { resolve } from 'node:path';

import { systemClock } from '../../../base';
import type { Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import { sha256Hex } from '../../../storage';
import { JobRecords } from '../cluster/job-records';
import type { JobEvidence } from '../cluster/job-records';
import { jobStatus } from '../cluster/job-status';
import type { SeenJob } from '../cluster/job-status';
import { StatusWatch } from '../cluster/status-watch';
import type { JobEngine, JobNode, JobResources, JobSpec, JobStatus } from '../job-engine';
import { checkJob } from '../job-spec';
import { hasEnded } from '../job-state';
import { refuseImage, refuseMissing, refuseTooLarge } from '../refuse-job';
import { fits } from '../resources';

import { SlurmCommands } from './slurm-commands';
import { parseSacct, parseSqueue, SACCT_FORMAT, SQUEUE_FORMAT, TOO_MUCH_MEMORY } from './slurm-jobs';
import type { SlurmJob } from './slurm-jobs';
import { parseSinfo, SINFO_FORMAT } from './slurm-nodes';
import type { SlurmNode } from './slurm-nodes';

export interface SlurmEngineOptions {
  /** Of its own, on a file system that all nodes share under the same name; so are the jobs' folders and log files. */
  readonly folder: string;
  /**
   * For every sbatch: `--partition=gpu`, `--account=...`, `--time=...`. Jobs begin with the user's login environment on
   * their node; `--export=PATH,HOME` gives them the server's instead.
   */
  readonly arguments?: readonly string[];
  /** slurm.conf, where Slurm does not find it by itself. */
  readonly configFile?: string;
  /** Where Slurm's commands are; by default the PATH of this process. */
  readonly searchPath?: string;
  readonly clock?: Clock;
  /** How often jobs are looked at for `watch`. */
  readonly pollMs?: number;
  /** What one of Slurm's commands may take. */
  readonly timeoutMs?: number;
}

const DEFAULTS = { pollMs: 2_000, timeoutMs: 20_000 };
/** The job's script kills by itself; Slurm is asked to when that did not work. */
const KILL_MARGIN_MS = 5_000;
const MIB = 2 ** 20;
/** In slurmstepd's words: of the step always, of the job only where it comes to say so before it is killed itself. */
const EXCEEDED_MEMORY = /^slurmstepd\S* error: .*exceeded (job |step )?memory limit/im;

/**
 * Runs jobs on a Slurm cluster, by its commands. A key runs once: it is looked up in Slurm by the comment it was submitted
 * with, and should two jobs of a key ever get into the queue, the script of the second ends without running anything.
 */
export class SlurmEngine implements JobEngine {
  readonly name = 'slurm';
  private readonly records: JobRecords;
  private readonly commands: SlurmCommands;
  private readonly clock: Clock;
  private readonly watcher: StatusWatch;
  /** Tells this lab's jobs from those of the user's others. */
  private readonly labMark: string;
  private readonly submitting = new Map<string, Promise<void>>();
  private readonly kills = new Map<string, () => void>();
  private isAccounting = true;

  constructor(private readonly options: SlurmEngineOptions) {
    const { folder, configFile, searchPath, timeoutMs = DEFAULTS.timeoutMs } = options;
    this.records = new JobRecords(folder, 'SLURM_JOB_ID');
    this.labMark = sha256Hex(Buffer.from(resolve(folder))).slice(0, 12);
    this.commands = new SlurmCommands({
      timeoutMs,
      ...(configFile !== undefined && { configFile }),
      ...(searchPath !== undefined && { searchPath }),
    });
    this.clock = options.clock ?? systemClock;
    const pollMs = options.pollMs ?? DEFAULTS.pollMs;
    this.watcher = new StatusWatch(() => this.unfinished(), this.clock, pollMs);
  }

  submit(key: string, spec: JobSpec): Promise<void> {
    const before = this.submitting.get(key);
    if (before) return before;
    const submission = this.submitOnce(key, spec).finally(() => this.submitting.delete(key));
    this.submitting.set(key, submission);
    return submission;
  }

  async statuses(keys: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
    const found = new Map<string, JobStatus>();
    const open: string[] = [];
    for (const key of new Set(keys)) {
      const final = this.records.finalOf(key) ?? (await this.records.read(key))?.final;
      if (final) found.set(key, final);
      else open.push(key);
    }
    if (open.length === 0) return found;
    for (const [key, status] of await this.look(open)) found.set(key, status);
    return found;
  }

  async stop(key: string, graceMs: number): Promise<void> {
    const evidence = await this.records.read(key);
    if (!evidence || evidence.final) return;
    await this.records.writeStop(key, graceMs);
    const job = (await this.jobs([key])).get(key);
    if (!job || hasEnded(job)) return;
    if (job.state === 'queued') await this.cancel(['--state=PENDING', job.id]);
    // It may have begun meanwhile.
    await this.cancel(['--signal=TERM', '--full', '--state=RUNNING', job.id]);
    this.kills.get(key)?.();
    const cancelKill = this.clock.after(graceMs + KILL_MARGIN_MS, () => {
      this.kills.delete(key);
      // What a cluster that is away can't be told now, `stop` can tell it again.
      this.cancel(['--signal=KILL', '--full', job.id]).catch(() => undefined);
    });
    this.kills.set(key, cancelKill);
  }

  kept(): Promise<readonly string[]> {
    return this.records.keys();
  }

  clear(key: string): Promise<number> {
    return this.records.clear(key);
  }

  async nodes(): Promise<readonly JobNode[]> {
    return (await this.slurmNodes()).map(({ name, total, free, isUp }) => ({ name, total, free, isUp }));
  }

  watch(onChange: (key: string) => void): () => void {
    return this.watcher.add(onChange);
  }

  async close(): Promise<void> {
    this.watcher.close();
    for (const cancel of this.kills.values()) cancel();
    this.kills.clear();
  }

  private async submitOnce(key: string, spec: JobSpec): Promise<void> {
    const evidence = await this.records.read(key);
    if (evidence && isHandedOver(evidence)) return;
    // A submission of which the answer was lost.
    const known = evidence ? (await this.jobs([key])).get(key) : undefined;
    if (known) return this.records.writeSubmitted(key, known.id);
    checkJob(key, spec);
    refuseImage(this.name, spec);
    refuseMissing(spec);
    const nodes = await this.slurmNodes();
    const resources = wholeResources(spec.resources);
    refuseTooLarge(resources, nodes);
    const script = await this.records.prepare(key, spec);
    const placement = await this.placement(spec.preferredNodes ?? [], resources, nodes);
    const args = [...this.submission(key, spec, resources), ...placement, script];
    const [id = ''] = (await this.commands.run('sbatch', args, 'bad-input')).trim().split(';');
    await this.records.writeSubmitted(key, id);
  }

  private submission(key: string, { folder, logFile }: JobSpec, resources: JobResources): readonly string[] {
    const { cpus, gpus, memoryBytes } = resources;
    // "%" begins a pattern in names of log files.
    const log = logFile.replaceAll('%', '%%');
    return [
      '--export=NONE',
      ...(this.options.arguments ?? []),
      '--parsable',
      `--job-name=${key}`,
      `--comment=${this.commentOf(key)}`,
      '--nodes=1',
      '--ntasks=1',
      `--cpus-per-task=${cpus}`,
      // 0 would mean all that the node has.
      ...(memoryBytes > 0 ? [`--mem=${memoryBytes / MIB}M`] : []),
      ...(gpus > 0 ? [`--gres=gpu:${gpus}`] : []),
      `--chdir=${folder}`,
      `--output=${log}`,
      `--error=${log}`,
      '--open-mode=append',
      // Run again by Slurm, it would run twice.
      '--no-requeue',
    ];
  }

  /**
   * `--prefer` where the cluster has features named like its nodes: then Slurm weighs it when the job's turn comes. Else
   * the best preferred node that could take the job at once is asked for by name, and none when all are busy: a name is
   * binding, and the job would wait for that node while others are free.
   */
  private async placement(
    preferred: readonly string[],
    resources: JobResources,
    nodes: readonly SlurmNode[],
  ): Promise<readonly string[]> {
    const wanted = preferred.flatMap((name) => nodes.filter((node) => node.name === name && node.isUp));
    const named = wanted.filter(({ name, features }) => features.includes(name));
    if (named.length > 0 && (await this.hasPrefer())) {
      return [`--prefer=${named.map(({ name }) => name).join('|')}`];
    }
    const free = wanted.find((node) => fits(resources, node.free));
    return free ? [`--nodelist=${free.name}`] : [];
  }

  /** Slurm has it since 22.05. */
  private async hasPrefer(): Promise<boolean> {
    const [, major, minor] = /(\d+)\.(\d+)/.exec(await this.commands.run('sinfo', ['--version'])) ?? [];
    return Number(major) * 100 + Number(minor) >= 2205;
  }

  private async look(keys: readonly string[]): Promise<ReadonlyMap<string, JobStatus>> {
    let jobs: ReadonlyMap<string, SeenJob> = await this.jobs(keys);
    const found = new Map<string, JobStatus>();
    let mayBeMissing = true;
    for (const key of keys) {
      // After Slurm's answer: what the script wrote before its end is there then.
      let evidence = await this.records.read(key);
      if (!evidence) continue;
      if (!jobs.has(key) && isHandedOver(evidence) && !evidence.ended && mayBeMissing) {
        // It may have been submitted after Slurm's answer; whatever is missing now is not in the queue.
        mayBeMissing = false;
        jobs = new Map([...(await this.accounted(keys)), ...(await this.jobs(keys))]);
        evidence = (await this.records.read(key)) ?? evidence;
      }
      const told = jobStatus(evidence, jobs.get(key), 'Slurm');
      if (!told) continue;
      const status = await this.explained(key, told, evidence);
      found.set(key, status);
      // A job that seems lost may turn up again with a controller that was restarted.
      if (hasEnded(status) && status.state !== 'lost' && !evidence.final) await this.end(key, status);
    }
    return found;
  }

  /** Without control groups Slurm tells of memory only what it writes into the log. */
  private async explained(key: string, status: JobStatus, { ended }: JobEvidence): Promise<JobStatus> {
    if (status.state !== 'failed' || status.signal !== 'SIGKILL' || ended) return status;
    if (!EXCEEDED_MEMORY.test(await this.records.logTail(key))) return status;
    return { ...status, reason: TOO_MUCH_MEMORY };
  }

  private async end(key: string, status: JobStatus): Promise<void> {
    this.kills.get(key)?.();
    this.kills.delete(key);
    await this.records.writeFinal(key, status);
  }

  private async unfinished(): Promise<ReadonlyMap<string, JobStatus>> {
    const keys = (await this.records.keys()).filter((key) => !this.records.finalOf(key));
    return this.statuses(keys);
  }

  /** The jobs of the keys that Slurm knows now. */
  private async jobs(keys: readonly string[]): Promise<ReadonlyMap<string, SlurmJob>> {
    const args = ['-h', `--user=${userInfo().username}`, '--states=all', '-O', SQUEUE_FORMAT];
    const keyOf = new Map(keys.map((key) => [this.commentOf(key), key]));
    const ofKey = new Map<string, SlurmJob[]>();
    for (const job of parseSqueue(await this.commands.run('squeue', args))) {
      const key = keyOf.get(job.comment);
      if (key !== undefined) ofKey.set(key, [...(ofKey.get(key) ?? []), job]);
    }
    const found = new Map<string, SlurmJob>();
    for (const [key, jobs] of ofKey) found.set(key, await this.chosen(key, jobs));
    return found;
  }

  /** The one whose script runs the program; before any does, the oldest. */
  private async chosen(key: string, jobs: readonly SlurmJob[]): Promise<SlurmJob> {
    const oldest = jobs.reduce((best, job) => (Number(job.id) < Number(best.id) ? job : best));
    if (jobs.length === 1) return oldest;
    const claimedBy = (await this.records.read(key))?.claimedBy;
    return jobs.find(({ id }) => id === claimedBy) ?? oldest;
  }

  /** Jobs that have left Slurm's memory, where it keeps accounts. */
  private async accounted(keys: readonly string[]): Promise<ReadonlyMap<string, SeenJob>> {
    const keyOf = new Map<string, string>();
    for (const key of keys) {
      const evidence = await this.records.read(key);
      const id = evidence?.claimedBy ?? evidence?.submittedId;
      if (id && !evidence?.ended) keyOf.set(id, key);
    }
    if (!this.isAccounting || keyOf.size === 0) return new Map();
    const args = ['-n', '-P', '-X', `--jobs=${[...keyOf.keys()].join(',')}`, `--format=${SACCT_FORMAT}`];
    let output: string;
    try {
      output = await this.commands.run('sacct', args);
    } catch {
      // Most small clusters keep none.
      this.isAccounting = false;
      return new Map();
    }
    return new Map(parseSacct(output).map((job) => [keyOf.get(job.id) ?? '', job]));
  }

  private async slurmNodes(): Promise<readonly SlurmNode[]> {
    return parseSinfo(await this.commands.run('sinfo', ['-h', '-N', '-O', SINFO_FORMAT]));
  }

  private async cancel(args: readonly string[]): Promise<void> {
    try {
      await this.commands.run('scancel', ['--quiet', ...args], 'bad-input');
    } catch (error) {
      // Of a job that has ended meanwhile there is nothing to cancel.
      if (SluiceError.from(error).code !== 'bad-input') throw error;
    }
  }

  private commentOf(key: string): string {
    return `sluice ${this.labMark} ${key}`;
  }
}

function isHandedOver({ submittedId, claimedBy }: JobEvidence): boolean {
  return submittedId !== undefined || claimedBy !== undefined;
}

/** Slurm counts whole CPUs, GPUs and MiB. */
function wholeResources({ cpus, gpus, memoryBytes }: JobResources): JobResources {
  return {
    cpus: Math.max(1, Math.ceil(cpus)),
    gpus: Math.ceil(gpus),
    memoryBytes: Math.ceil(memoryBytes / MIB) * MIB,
  };
}
