import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

import { formatBytes, type Clock } from '../../../base';

import { IdleWatch } from './idle-watch';
import type { JobFolder, JobRecord, JobStart, KeptStatus } from './job-folder';
import { readProcess } from './process-table';
import { ProcessTree } from './process-tree';
import { baseEnvironment, programEnvironment } from './program-environment';
import { StatusWriter } from './status-writer';

/** All processes of the machine are looked at every so many samples. */
const SCAN_EVERY = 5;
/** How soon, and then ever less often, those that were told to end are looked for: looking reads all of /proc. */
const FIRST_LOOK_MS = 20;
const SLOWEST_LOOK_MS = 200;

interface Ended {
  readonly exitCode?: number;
  readonly signal?: string;
}

/** Runs one job that was claimed, from its program's start to the end of its last process. */
export class Supervisor {
  private readonly writer: StatusWriter;
  private readonly record: JobRecord;
  private status: KeptStatus = { state: 'running' };
  private tree: ProcessTree;
  private idle: IdleWatch | undefined;
  private samples = 0;
  private cancelSample: (() => void) | undefined;
  /** Why the job was ended before its program did so itself. */
  private ending: { readonly state: 'stopped' | 'failed'; readonly reason: string } | undefined;
  private killAtMs = Infinity;
  private treeEnds: Promise<number> | undefined;

  constructor(
    private readonly folder: JobFolder,
    private readonly start: JobStart,
    private readonly clock: Clock,
  ) {
    this.record = folder.record();
    this.tree = new ProcessTree(this.record.token);
    this.writer = new StatusWriter(folder, clock);
  }

  /** Returns once all is over and written. */
  async run(): Promise<void> {
    if (this.folder.stopGraceMs() !== undefined) {
      return this.finish({
        state: 'stopped',
        endedMs: this.clock.nowMs(),
        reason: 'stopped before it began',
      });
    }
    let ended: Ended;
    try {
      ended = await this.runProgram();
    } catch (cause) {
      const reason = whyNotStarted(this.record, cause as NodeJS.ErrnoException);
      return this.finish({ state: 'failed', endedMs: this.clock.nowMs(), reason });
    }
    this.cancelSample?.();
    const left = await (this.treeEnds ?? this.endTree(this.start.graceMs));
    const { startedMs, mark } = this.status;
    await this.finish({
      ...this.outcome(ended, left),
      ...ended,
      startedMs: startedMs!,
      endedMs: this.clock.nowMs(),
      ...(mark !== undefined && { mark }),
    });
  }

  /**
   * Asks all its processes to end, and kills those that are left after the grace; `run` returns then.
   * @param asked true: by the engine; otherwise somebody ends the supervisor itself, as a machine does that shuts down.
   */
  stop(asked: boolean, graceMs: number): void {
    if (this.ending) {
      // Asked again, less patiently.
      this.killAtMs = Math.min(this.killAtMs, this.clock.nowMs() + graceMs);
      return;
    }
    const reason = asked
      ? 'stopped on request'
      : 'its supervisor was told to end, as when the machine shuts down';
    this.ending = { state: 'stopped', reason };
    this.tell({ state: 'stopping', reason });
    this.treeEnds = this.endTree(graceMs);
  }

  private async runProgram(): Promise<Ended> {
    const child = this.spawnProgram();
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
    const ended = new Promise<Ended>((resolve) => {
      child.once('exit', (code, signal) => {
        resolve({ ...(code !== null && { exitCode: code }), ...(signal !== null && { signal }) });
      });
    });
    const mark = readProcess(child.pid!)?.mark ?? '';
    this.tree = new ProcessTree(this.record.token, mark);
    const nowMs = this.clock.nowMs();
    this.idle = new IdleWatch(this.start.gpuIds, this.start.idleAfterMs, nowMs);
    this.tell({ startedMs: nowMs, mark });
    // Told to end while it was being started: nothing was there to end yet.
    if (this.ending) this.treeEnds = this.endTree(0);
    this.sample();
    return ended;
  }

  private spawnProgram(): ChildProcess {
    const { spec } = this.record;
    if (this.start.cpuIds) bindTo(this.start.cpuIds);
    mkdirSync(dirname(spec.logFile), { recursive: true });
    const log = openSync(spec.logFile, 'a');
    try {
      const [program = '', ...args] = spec.command;
      return spawn(program, args, {
        cwd: spec.folder,
        env: programEnvironment(baseEnvironment(process.env), this.record, this.start),
        stdio: ['ignore', log, log],
        detached: true,
      });
    } finally {
      closeSync(log);
    }
  }

  /** Looks at memory often, and less often at everything. */
  private sample(): void {
    const { sampleMs } = this.start;
    if (this.samples % SCAN_EVERY === 0) this.lookAround();
    this.samples += 1;
    this.holdMemory(this.record.spec.resources.memoryBytes);
    this.cancelSample = this.clock.after(sampleMs, () => this.sample());
  }

  private lookAround(): void {
    this.tree.scan();
    const graceMs = this.folder.stopGraceMs();
    if (graceMs !== undefined) this.stop(true, graceMs);
    const idleSinceMs = this.idle?.look(this.clock.nowMs(), this.tree.cpuMs);
    if (idleSinceMs === this.status.idleSinceMs || this.ending) return;
    const { idleSinceMs: _before, ...rest } = this.status;
    this.status = rest;
    this.tell(idleSinceMs === undefined ? {} : { idleSinceMs });
  }

  private holdMemory(limitBytes: number): void {
    const bytes = this.tree.memoryBytes(limitBytes);
    if (bytes <= limitBytes || this.ending) return;
    const used = `${formatBytes(bytes)} of memory`;
    const reason = `it used ${used}, more than the ${formatBytes(limitBytes)} it asked for; ask for more`;
    this.ending = { state: 'failed', reason };
    this.tell({ reason });
    this.treeEnds = this.endTree(0);
  }

  /** Returns once no process of the job runs. @returns how many there were at first. */
  private async endTree(graceMs: number): Promise<number> {
    this.killAtMs = Math.min(this.killAtMs, this.clock.nowMs() + graceMs);
    const first = this.tree.signal(graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
    let waitMs = FIRST_LOOK_MS;
    for (let left = first; left > 0; waitMs = Math.min(waitMs * 1.5, SLOWEST_LOOK_MS)) {
      await new Promise<void>((resolve) => this.clock.after(waitMs, resolve));
      const isPatient = this.clock.nowMs() < this.killAtMs;
      left = isPatient ? this.tree.scan(true).length : this.tree.signal('SIGKILL');
    }
    return first;
  }

  private outcome({ exitCode, signal }: Ended, left: number): Pick<KeptStatus, 'state' | 'reason'> {
    if (this.ending) return this.ending;
    const reasons: string[] = [];
    if (signal !== undefined) reasons.push(`ended by ${signal}`);
    else if (exitCode !== 0) reasons.push(`ended with exit code ${exitCode}`);
    if (left > 0)
      reasons.push(`${left} of its processes outlived it and ${left === 1 ? 'was' : 'were'} ended`);
    const state = exitCode === 0 ? 'succeeded' : 'failed';
    return { state, ...(reasons.length > 0 && { reason: reasons.join('; ') }) };
  }

  private tell(news: Partial<KeptStatus>): void {
    this.status = { ...this.status, ...news };
    this.writer.set(this.status);
  }

  private async finish(status: KeptStatus): Promise<void> {
    this.writer.set(status);
    await this.writer.settled();
  }
}

/** Binds this process, and with it what it starts. */
function bindTo(cpuIds: readonly number[]): void {
  const args = ['-a', '-p', '-c', cpuIds.join(','), String(process.pid)];
  const { error, status, stderr } = spawnSync('taskset', args, { encoding: 'utf8' });
  if (error) process.stderr.write(`Not bound to processors ${cpuIds.join(',')}: ${error.message}\n`);
  else if (status !== 0) process.stderr.write(`Not bound to processors ${cpuIds.join(',')}: ${stderr}\n`);
}

function whyNotStarted({ spec }: JobRecord, { code, message }: NodeJS.ErrnoException): string {
  const [program = ''] = spec.command;
  if (!existsSync(spec.folder)) return `it did not start: its folder ${spec.folder} is not there`;
  if (code === 'ENOENT')
    return `it did not start: no program "${program}", or no interpreter that it names, was found`;
  if (code === 'EACCES') {
    return `it did not start: no permission to run "${program}" or to write ${spec.logFile}; chmod +x the program`;
  }
  if (code === 'E2BIG')
    return 'it did not start: its arguments and environment are larger than the system takes';
  return `it did not start: ${message}`;
}
