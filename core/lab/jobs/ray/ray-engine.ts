import { resolve } from 'node:path';

import { systemClock } from '../../../base';
import type { Clock } from '../../../base';
import { SluiceError } from '../../../contract';
import { sha256Hex } from '../../../storage';
import { JobRecords } from '../cluster/job-records';
import { jobStatus, signalName } from '../cluster/job-status';
import type { SeenJob } from '../cluster/job-status';
import { quoteForShell } from '../cluster/shell-quote';
import { StatusWatch } from '../cluster/status-watch';
import type { JobEngine, JobNode, JobSpec, JobStatus } from '../job-engine';
import { checkJob } from '../job-spec';
import { hasEnded } from '../job-state';
import { refuseImage, refuseMissing, refuseTooLarge } from '../refuse-job';
import { fits } from '../resources';

import { RayApi } from './ray-api';
import type { RayJob, RayNode } from './ray-api';

export interface RayEngineOptions {
  /** Of the head's dashboard: `http://127.0.0.1:8265`. */
  readonly url: string;
  /** Where the cluster asks for one (RAY_AUTH_MODE=token). */
  readonly token?: string;
  /** Of its own, on a file system that all nodes share under the same name; so are the jobs' folders and log files. */
  readonly folder: string;
  readonly clock?: Clock;
  /** How often jobs are looked at for `watch`. */
  readonly pollMs?: number;
  /** What an answer may take; a busy head takes seconds to accept a job. */
  readonly timeoutMs?: number;
}

const DEFAULTS = { pollMs: 2_000, timeoutMs: 60_000 };
/** Questions on their way at a time. */
const AT_ONCE = 8;
/** How long Ray waits before it kills a job that was stopped; the job's own script does so after its grace. */
const RAY_STOP_WAIT_SEC = 24 * 3600;
const LAB_KEY = 'sluice_lab';

const STATES: Readonly<Record<RayJob['status'], SeenJob['state']>> = {
  PENDING: 'queued',
  RUNNING: 'running',
  STOPPED: 'stopped',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
};

/**
 * Runs jobs on a Ray cluster, by its job server. The key is the submission id, which Ray takes once. Ray reserves memory
 * and does not enforce it; it gives jobs up that wait longer than the RAY_JOB_START_TIMEOUT_SECONDS of its head (15
 * minutes unless set); and a head that is started again has forgotten them: those that ran are then `lost`.
 */
export class RayEngine implements JobEngine {
  readonly name = 'ray';
  private readonly api: RayApi;
  private readonly records: JobRecords;
  private readonly watcher: StatusWatch;
  /** Tells this lab's jobs from those of others that chose the same key. */
  private readonly labMark: string;
  private readonly submitting = new Map<string, Promise<void>>();
  private readonly nodeNames = new Map<string, string>();

  /** @throws SluiceError `bad-input` when the address is none. */
  constructor(options: RayEngineOptions) {
    const { url, token, folder, clock = systemClock, pollMs = DEFAULTS.pollMs } = options;
    const timeoutMs = options.timeoutMs ?? DEFAULTS.timeoutMs;
    this.api = new RayApi({ url, timeoutMs, ...(token !== undefined && { token }) });
    this.records = new JobRecords(folder);
    this.labMark = sha256Hex(Buffer.from(resolve(folder))).slice(0, 12);
    this.watcher = new StatusWatch(() => this.unfinished(), clock, pollMs);
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
    const left = [...new Set(keys)];
    const ask = async (): Promise<void> => {
      for (let key = left.shift(); key !== undefined; key = left.shift()) {
        const status = this.records.finalOf(key) ?? (await this.look(key));
        if (status) found.set(key, status);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, ask));
    return found;
  }

  async stop(key: string, graceMs: number): Promise<void> {
    const evidence = await this.records.read(key);
    if (!evidence || evidence.final) return;
    await this.records.writeStop(key, graceMs);
    await this.api.stop(key);
  }

  kept(): Promise<readonly string[]> {
    return this.records.keys();
  }

  clear(key: string): Promise<number> {
    return this.records.clear(key);
  }

  async nodes(): Promise<readonly JobNode[]> {
    return (await this.rayNodes()).map(({ name, total, free, isUp }) => ({ name, total, free, isUp }));
  }

  watch(onChange: (key: string) => void): () => void {
    return this.watcher.add(onChange);
  }

  async close(): Promise<void> {
    this.watcher.close();
    await this.api.close();
  }

  private async submitOnce(key: string, spec: JobSpec): Promise<void> {
    const evidence = await this.records.read(key);
    if (evidence?.submittedId !== undefined || evidence?.claimedBy !== undefined) return;
    checkJob(key, spec);
    refuseImage(this.name, spec);
    refuseMissing(spec);
    const nodes = await this.rayNodes();
    refuseTooLarge(spec.resources, nodes);
    const script = await this.records.prepare(key, spec);
    const { cpus, gpus, memoryBytes } = spec.resources;
    const isNew = await this.api.submit({
      entrypoint: `exec /bin/sh ${quoteForShell(script)}`,
      submission_id: key,
      entrypoint_num_cpus: cpus,
      entrypoint_num_gpus: gpus,
      entrypoint_memory: Math.ceil(memoryBytes),
      ...placement(spec, nodes),
      runtime_env: {
        env_vars: { ...plainVariables(spec), RAY_JOB_STOP_WAIT_TIME_S: String(RAY_STOP_WAIT_SEC) },
      },
      metadata: { [LAB_KEY]: this.labMark },
    });
    if (!isNew) await this.refuseForeign(key);
    await this.records.writeSubmitted(key, key);
  }

  private async refuseForeign(key: string): Promise<void> {
    const job = await this.api.job(key);
    if (job?.metadata?.[LAB_KEY] === this.labMark) return;
    throw new SluiceError(
      'conflict',
      `Somebody else has submitted a job named ${key} to this Ray cluster. Submit it under another key.`,
      { key },
    );
  }

  private async look(key: string): Promise<JobStatus | undefined> {
    let evidence = await this.records.read(key);
    if (!evidence || evidence.final) return evidence?.final;
    const seen = await this.seen(key);
    // What the script wrote before its end is there after Ray told of it. What was not handed over before the question
    // may have been since, so only the older files can tell that Ray has forgotten it.
    const before = evidence;
    evidence = (await this.records.read(key)) ?? evidence;
    const status = jobStatus(seen || evidence.ended ? evidence : before, seen, 'Ray');
    if (status && hasEnded(status) && status.state !== 'lost') await this.records.writeFinal(key, status);
    return status;
  }

  private async seen(key: string): Promise<SeenJob | undefined> {
    const job = await this.api.job(key);
    if (!job || job.metadata?.[LAB_KEY] !== this.labMark) return undefined;
    const { status, message, driver_exit_code: code, end_time: endedMs } = job;
    // Without a code of the program, Ray's message is all there is.
    const isScheduler = status === 'FAILED' && typeof code !== 'number';
    const node = job.driver_node_id ? await this.nodeName(job.driver_node_id) : undefined;
    const signal = typeof code === 'number' && code < 0 ? signalName(-code) : undefined;
    return {
      id: key,
      state: STATES[status],
      ...(isScheduler && { isScheduler }),
      ...(node !== undefined && { node }),
      ...(typeof endedMs === 'number' && { endedMs }),
      ...(typeof code === 'number' && code >= 0 && { exitCode: code }),
      ...(signal !== undefined && { signal }),
      ...((isScheduler || status === 'PENDING') && message && { reason: message.slice(0, 1000) }),
    };
  }

  /** Ray names nodes by ids that say nothing to people. */
  private async nodeName(id: string): Promise<string> {
    if (!this.nodeNames.has(id)) await this.rayNodes();
    return this.nodeNames.get(id) ?? id;
  }

  private async rayNodes(): Promise<readonly RayNode[]> {
    const nodes = await this.api.nodes();
    for (const { id, name } of nodes) this.nodeNames.set(id, name);
    return nodes.filter(({ isUp, total }) => isUp || total.cpus > 0);
  }

  private async unfinished(): Promise<ReadonlyMap<string, JobStatus>> {
    const keys = (await this.records.keys()).filter((key) => !this.records.finalOf(key));
    return this.statuses(keys);
  }
}

/**
 * The best preferred node that could take the job at once, and none when all are busy: Ray has no wish that is not binding,
 * and the job would wait for that node while others are free.
 */
function placement(
  { preferredNodes = [], resources }: JobSpec,
  nodes: readonly RayNode[],
): { entrypoint_resources?: Record<string, number> } {
  const wanted = preferredNodes.flatMap((name) => nodes.filter((node) => node.name === name && node.isUp));
  const free = wanted.find((node) => fits(resources, node.free));
  // Every node has 1 of a resource that is named after its address.
  return free ? { entrypoint_resources: { [`node:${free.ip}`]: 0.001 } } : {};
}

/**
 * Ray hands these to the job's own tasks on other nodes too. The job's script sets all of them again: Ray replaces `$NAME`
 * in values.
 */
function plainVariables({ environment }: JobSpec): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => !value.includes('$')));
}
