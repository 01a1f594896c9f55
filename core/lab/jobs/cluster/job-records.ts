import { mkdir, open, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../../contract';
import { ioError, writeFileAtomic } from '../../../storage';
import { removePath } from '../../store/remove-path';
import type { JobSpec, JobStatus } from '../job-engine';
import { FINAL_STATES } from '../job-state';

import { jobScript, SCRIPT_FILES } from './job-script';

/** Leads from the job's folder to its log. */
const LOG_LINK = 'log';
const LOG_TAIL_BYTES = 4096;

const finalSchema = z.object({
  state: z.enum(FINAL_STATES),
  node: z.string().exactOptional(),
  startedMs: z.number().exactOptional(),
  endedMs: z.number().exactOptional(),
  exitCode: z.number().exactOptional(),
  signal: z.string().exactOptional(),
  reason: z.string().exactOptional(),
});
const submittedSchema = z.object({ id: z.string().min(1) });
const endedSchema = z
  .string()
  .regex(/^\d+ \d+\s*$/)
  .transform((text) => text.split(' ').map(Number));

/** What the files of one job tell. */
export interface JobEvidence {
  /** The scheduler's id, once it was told. */
  readonly submittedId?: string;
  /** Its script began on a node; holds the scheduler's id where the scheduler tells it to scripts. */
  readonly claimedBy?: string;
  readonly startedMs?: number;
  /** The code as a shell tells it: 128 and the signal's number for a signal. */
  readonly ended?: { readonly shellCode: number; readonly atMs: number };
  readonly isStopAsked: boolean;
  /** How it ended, once it was seen. */
  readonly final?: JobStatus;
}

/**
 * What an engine remembers of the jobs that it gave to a cluster: a folder for each, which the job's script writes to as
 * well. So an end is known although the scheduler has forgotten the job, or was away when it came.
 */
export class JobRecords {
  private readonly root: string;
  /** An end never changes. */
  private readonly finals = new Map<string, JobStatus>();

  /**
   * @param root shared by all nodes under the same name.
   * @param idVariable where the scheduler tells a job its id.
   */
  constructor(
    root: string,
    private readonly idVariable?: string,
  ) {
    this.root = resolve(root);
  }

  /** Makes the folder and the script of a job. @returns the script's path. @throws SluiceError `io`. */
  async prepare(key: string, spec: JobSpec): Promise<string> {
    const folder = join(this.root, key);
    const script = join(folder, 'job.sh');
    const log = join(folder, LOG_LINK);
    try {
      // What a job may know is in its script.
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await rm(log, { force: true });
      await symlink(spec.logFile, log);
    } catch (cause) {
      throw ioError(`Can't make the job's folder ${folder}`, cause);
    }
    await writeFileAtomic(script, jobScript(folder, spec, this.idVariable));
    return script;
  }

  async keys(): Promise<readonly string[]> {
    try {
      return await readdir(this.root);
    } catch (cause) {
      if (isMissing(cause)) return [];
      throw ioError(`Can't list the jobs in ${this.root}`, cause);
    }
  }

  /** How the job ended, when that was seen before. */
  finalOf(key: string): JobStatus | undefined {
    return this.finals.get(key);
  }

  /** @returns undefined for a key that was never prepared. @throws SluiceError `io`. */
  async read(key: string): Promise<JobEvidence | undefined> {
    if ((await this.text(key, 'job.sh')) === undefined) return undefined;
    // Before the claim: a job without a claim that was to stop by then never runs its program.
    const stop = await this.text(key, SCRIPT_FILES.stop);
    const names = [
      'submitted.json',
      SCRIPT_FILES.claim,
      SCRIPT_FILES.started,
      SCRIPT_FILES.ended,
      'final.json',
    ] as const;
    const texts = await Promise.all(names.map((name) => this.text(key, name)));
    const [submitted, claim, started, ended, finalText] = texts;
    const final = this.parsed(key, 'final.json', finalSchema, finalText);
    const submission = this.parsed(key, 'submitted.json', submittedSchema, submitted);
    if (final) this.finals.set(key, final);
    const end = endedSchema.safeParse(ended).data;
    return {
      ...(submission && { submittedId: submission.id }),
      ...(claim !== undefined && { claimedBy: claim.trim() }),
      ...(started?.trim() && { startedMs: Number(started) * 1000 }),
      ...(end && { ended: { shellCode: end[0]!, atMs: end[1]! * 1000 } }),
      isStopAsked: stop !== undefined,
      ...(final && { final }),
    };
  }

  async writeSubmitted(key: string, id: string): Promise<void> {
    await writeFileAtomic(join(this.root, key, 'submitted.json'), JSON.stringify({ id }));
  }

  async writeStop(key: string, graceMs: number): Promise<void> {
    await writeFileAtomic(join(this.root, key, SCRIPT_FILES.stop), `${(graceMs / 1000).toFixed(3)}\n`);
  }

  async writeFinal(key: string, status: JobStatus): Promise<void> {
    await writeFileAtomic(join(this.root, key, 'final.json'), JSON.stringify(finalSchema.parse(status)));
    this.finals.set(key, status);
  }

  /** Removes the folder of a job whose end was seen. @returns bytes freed. @throws SluiceError `io`. */
  async clear(key: string): Promise<number> {
    if (!this.finals.has(key) && !(await this.read(key))?.final) return 0;
    this.finals.delete(key);
    return removePath(join(this.root, key));
  }

  /** The end of the job's log; '' when there is none. @throws SluiceError `io`. */
  async logTail(key: string): Promise<string> {
    const path = join(this.root, key, LOG_LINK);
    try {
      const file = await open(path, 'r');
      try {
        const { size } = await file.stat();
        const position = Math.max(0, size - LOG_TAIL_BYTES);
        const { buffer, bytesRead } = await file.read(
          Buffer.alloc(LOG_TAIL_BYTES),
          0,
          LOG_TAIL_BYTES,
          position,
        );
        return buffer.toString('utf8', 0, bytesRead);
      } finally {
        await file.close();
      }
    } catch (cause) {
      if (isMissing(cause)) return '';
      throw ioError(`Can't read ${path}`, cause);
    }
  }

  private parsed<T>(
    key: string,
    name: string,
    schema: z.ZodType<T>,
    text: string | undefined,
  ): T | undefined {
    if (text === undefined) return undefined;
    try {
      return schema.parse(JSON.parse(text));
    } catch (cause) {
      const path = join(this.root, key, name);
      const what = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
      const message = `${path} is damaged: ${what}. Remove the folder, and submit the job under another key.`;
      throw new SluiceError('io', message, { path }, { cause });
    }
  }

  private async text(key: string, name: string): Promise<string | undefined> {
    const path = join(this.root, key, name);
    try {
      return await readFile(path, 'utf8');
    } catch (cause) {
      if (isMissing(cause)) return undefined;
      throw ioError(`Can't read ${path}`, cause);
    }
  }
}

function isMissing(cause: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes((cause as NodeJS.ErrnoException).code ?? '');
}
