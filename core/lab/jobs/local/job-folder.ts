import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../../contract';
import { ioError, processMark, syncFolder, writeFileAtomic } from '../../../storage';
import { removePath } from '../../store/remove-path';
import type { JobSpec } from '../job-engine';
import { jobSpecSchema } from '../job-spec';
import { hasEnded } from '../job-state';

import { bootId, isRunning } from './process-table';

const recordSchema = z.object({
  key: z.string(),
  /** Names the job's processes; no other job ever has it. */
  token: z.string(),
  submittedMs: z.number(),
  spec: jobSpecSchema,
});
export type JobRecord = z.infer<typeof recordSchema>;

const startSchema = z.object({
  /** The processors it is bound to; absent: any. */
  cpuIds: z.array(z.int()).exactOptional(),
  gpuIds: z.array(z.int()),
  /** How often the supervisor looks at memory; at all processes of the machine every fifth time. */
  sampleMs: z.number().positive(),
  /** Idle for this long is told. */
  idleAfterMs: z.number().positive(),
  /** What is left when the program ends, or when the supervisor is asked to end, gets this long. */
  graceMs: z.number().min(0),
});
/** What the engine decided when the job's turn came. */
export type JobStart = z.infer<typeof startSchema>;

const statusSchema = z.object({
  state: z.enum(['running', 'stopping', 'succeeded', 'failed', 'stopped', 'lost']),
  node: z.string().exactOptional(),
  startedMs: z.number().exactOptional(),
  endedMs: z.number().exactOptional(),
  exitCode: z.number().exactOptional(),
  signal: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  idleSinceMs: z.number().exactOptional(),
  /** Of the program's process. */
  mark: z.string().exactOptional(),
});
/** Never `queued`: that is a job nobody has claimed. */
export type KeptStatus = z.infer<typeof statusSchema>;

const claimSchema = z.object({
  /** Of the supervisor. */
  mark: z.string(),
  bootId: z.string(),
  /** How the job ended, when who claimed it did so to never run it. */
  status: statusSchema.exactOptional(),
});
type JobClaim = z.infer<typeof claimSchema>;

const stopSchema = z.object({ graceMs: z.number().min(0) });

/** Given back to the disk when it is full, so that how the job ended can be written. */
const RESERVE_BYTES = 16_384;

/**
 * What is kept of one job, in files that are whole or not there. Whoever makes `claim.json` is the only one that ever
 * starts its program, or decides that nobody will.
 */
export class JobFolder {
  constructor(readonly path: string) {}

  /** Makes it, with its record, as one step. @returns false when there is one already. @throws SluiceError `io`. */
  static async create(root: string, key: string, submittedMs: number, spec: JobSpec): Promise<boolean> {
    const path = join(root, key);
    if (existsSync(path)) return false;
    const staged = join(root, `.new-${randomBytes(6).toString('hex')}`);
    const record = { key, token: randomBytes(16).toString('hex'), submittedMs, spec };
    try {
      mkdirSync(staged);
      writeFileSync(join(staged, 'reserve'), Buffer.alloc(RESERVE_BYTES, 1));
      await writeFileAtomic(join(staged, 'job.json'), JSON.stringify(record, null, 1));
      renameSync(staged, path);
      await syncFolder(root);
      return true;
    } catch (cause) {
      rmSync(staged, { recursive: true, force: true });
      // Somebody else submitted the same key meanwhile.
      if (['ENOTEMPTY', 'EEXIST'].includes((cause as NodeJS.ErrnoException).code ?? '')) return false;
      throw ioError(`Can't make the job folder ${path}`, cause);
    }
  }

  get exists(): boolean {
    return existsSync(join(this.path, 'job.json'));
  }

  /** Removed; a disk that can't be read is no proof of that. */
  get isGone(): boolean {
    try {
      statSync(this.path);
      return false;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT';
    }
  }

  /** Where the supervisor writes when it fails itself. */
  get supervisorLog(): string {
    return this.fileOf('supervisor.log');
  }

  /** @throws SluiceError `io` when it is not there, `corrupt-store` when it is not what was written. */
  record(): JobRecord {
    return this.needed('job.json', recordSchema);
  }

  start(): JobStart | undefined {
    return this.read('start.json', startSchema);
  }

  async writeStart(start: JobStart): Promise<void> {
    await writeFileAtomic(this.fileOf('start.json'), JSON.stringify(start));
  }

  /**
   * Claims the job for this process.
   * @param status given when it is claimed to never run.
   * @returns false when somebody has.
   */
  claim(status?: KeptStatus): boolean {
    const claim: JobClaim = { mark: processMark(), bootId: bootId(), ...(status && { status }) };
    const staged = this.fileOf(`claim-${randomBytes(6).toString('hex')}.tmp`);
    try {
      writeFlushed(staged, JSON.stringify(claim));
      linkSync(staged, this.fileOf('claim.json'));
      return true;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw ioError(`Can't claim the job in ${this.path}`, cause);
    } finally {
      rmSync(staged, { force: true });
    }
  }

  get isClaimed(): boolean {
    return existsSync(this.fileOf('claim.json'));
  }

  /** The supervisor's mark while it runs. */
  supervisor(): string | undefined {
    const claim = this.read('claim.json', claimSchema);
    return claim?.bootId === bootId() && isRunning(claim.mark) ? claim.mark : undefined;
  }

  /** As far as it was written: the claim's when it was claimed to never run. */
  status(): KeptStatus | undefined {
    return this.read('status.json', statusSchema) ?? this.read('claim.json', claimSchema)?.status;
  }

  async writeStatus(status: KeptStatus): Promise<void> {
    await writeFileAtomic(this.fileOf('status.json'), JSON.stringify(status));
  }

  giveBackReserve(): void {
    rmSync(this.fileOf('reserve'), { force: true });
  }

  /** The grace that was asked for, when the job is to stop. */
  stopGraceMs(): number | undefined {
    return this.read('stop.json', stopSchema)?.graceMs;
  }

  async writeStop(graceMs: number): Promise<void> {
    await writeFileAtomic(this.fileOf('stop.json'), JSON.stringify({ graceMs }));
  }

  /** In one step, as it was made. @returns bytes freed. @throws SluiceError `io`. */
  async remove(): Promise<number> {
    const aside = join(dirname(this.path), `.old-${randomBytes(6).toString('hex')}`);
    try {
      renameSync(this.path, aside);
    } catch (cause) {
      throw ioError(`Can't remove the job folder ${this.path}`, cause);
    }
    return removePath(aside);
  }

  private fileOf(name: string): string {
    return join(this.path, name);
  }

  private needed<T>(name: string, schema: z.ZodType<T>): T {
    const value = this.read(name, schema);
    if (value !== undefined) return value;
    const path = this.fileOf(name);
    throw new SluiceError('io', `${path} is not there. Was it deleted? Submit the job again.`, { path });
  }

  /** @returns undefined when it is not there. @throws SluiceError `io`, `corrupt-store` when it is not what was written. */
  private read<T>(name: string, schema: z.ZodType<T>): T | undefined {
    const path = this.fileOf(name);
    try {
      return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      if (cause instanceof z.ZodError || cause instanceof SyntaxError) {
        const what = cause instanceof SyntaxError ? cause.message : z.prettifyError(cause);
        throw new SluiceError('corrupt-store', `${path} is damaged: ${what}. Remove ${dirname(path)}.`, {
          path,
        });
      }
      throw ioError(`Can't read ${path}`, cause);
    }
  }
}

/** Whether how the job ended is written. @throws SluiceError `io`, `corrupt-store`. */
export function isOver(folder: JobFolder): boolean {
  const status = folder.status();
  return status !== undefined && hasEnded(status);
}

function writeFlushed(path: string, text: string): void {
  const file = openSync(path, 'wx');
  try {
    writeFileSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
