import { randomUUID } from 'node:crypto';

import { SluiceError } from '../../contract';
import type { FleetPushBox, Job, WireError } from '../../contract';
import { sha256Hex } from '../../storage';
import type { Box } from './box';
import type { PushedModel } from './model-sources';
import { presenceOn } from './model-presence';
import { jobSchema } from './told-events';
import { discardThere, uploadFile } from './upload-file';

export interface BoxPush {
  readonly box: Box;
  /** Of the push: jobs it begins on the box are named after it. */
  readonly id: string;
  /** Whether the box keeps a network's files, so that it can push it on. */
  readonly keepSource: boolean;
  readonly open: () => Promise<PushedModel>;
  readonly report: (change: Pick<FleetPushBox, 'state'> & Partial<FleetPushBox>) => void;
  readonly signal: AbortSignal;
}

/** Why a push is aborted that the next engine goes on with: what it began on the box goes on. */
export const ENGINE_ENDS = 'engine-ends';

const ASK_WITHIN_MS = 120_000;
const IMPORT_WITHIN_MS = 24 * 3_600_000;
const JOB_ONLY: ReadonlySet<'job'> = new Set(['job']);

/**
 * Makes one online box have the model: nothing is sent to one that has it, and an import that goes on there from before is
 * waited for.
 * @throws SluiceError `engine-down`, `unavailable`, `timeout` when the box went away: it can go on later; `conflict` when
 * it has another model of that name; what its import throws; `cancelled`.
 */
export async function pushToBox(push: BoxPush): Promise<void> {
  const { box, report } = push;
  await endOfImport(push);
  const model = await push.open();
  const totalBytes = model.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const presence = await presenceOn(box, model);
  if (presence === 'same') {
    report({ state: 'done', totalBytes });
    return;
  }
  const path = await sendFiles(push, model, totalBytes);
  report({ state: 'importing', sentBytes: totalBytes, totalBytes });
  await importThere(push, model, path, presence === 'stale');
}

/** An import that this push began before the connection was lost. */
async function endOfImport(push: BoxPush): Promise<void> {
  const { box, id, report, signal } = push;
  const jobs = jobSchema.array().safeParse(await box.request('jobs.list', {}, ASK_WITHIN_MS));
  const job = jobs.data?.find((each) => each.id.startsWith(jobPrefix(id)) && each.state === 'running');
  if (!job) return;
  report({ state: 'importing' });
  const ended = await new Promise<Job>((resolve, reject) => {
    const stop = box.follow((_event, payload) => {
      const told = payload as Job;
      if (told.id !== job.id || told.state === 'running') return;
      finish();
      resolve(told);
    }, JOB_ONLY);
    const unlost = box.onLost((reason) => {
      finish();
      reject(new SluiceError('engine-down', reason));
    });
    const cancel = (): void => {
      finish();
      cancelJob(push, job.id);
      reject(cancelled(job.subject));
    };
    const finish = (): void => {
      stop();
      unlost();
      signal.removeEventListener('abort', cancel);
    };
    signal.addEventListener('abort', cancel, { once: true });
  });
  if (ended.state === 'failed' && ended.error) throw SluiceError.fromWire(ended.error);
}

/** @returns the path on the box of what is to be imported. */
async function sendFiles(
  { box, id, report, signal }: BoxPush,
  model: PushedModel,
  totalBytes: number,
): Promise<string> {
  const upload = markOf(id, box, model);
  let doneBytes = 0;
  let sent = '';
  try {
    for (const { path, folders, name, bytes, sha256 } of model.files) {
      const before = doneBytes;
      const there = await uploadFile({
        target: box.target,
        path,
        ...(folders && { folders }),
        name,
        resumes: { upload, sha256 },
        signal,
        onBytes: (sentBytes) => report({ state: 'sending', sentBytes: before + sentBytes, totalBytes }),
      });
      // The model comes first. The box may run another system, whose separator is one character too.
      if (sent === '') sent = model.isFolder ? there.slice(0, -name.length - 1) : there;
      doneBytes += bytes;
    }
    if (signal.aborted) throw cancelled(model.name);
  } catch (thrown) {
    // A box that is away by now gives it up by itself in time.
    if (isCancel(signal)) void discardThere(box.target, upload).catch(() => undefined);
    throw thrown;
  }
  return sent;
}

/** The same for each attempt, so that one goes on where the last broke off. */
function markOf(push: string, box: Box, model: PushedModel): string {
  return sha256Hex(Buffer.from(`${push} ${box.known.id} ${model.sha256 ?? ''}`)).slice(0, 16);
}

function isCancel(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason !== ENGINE_ENDS;
}

async function importThere(
  push: BoxPush,
  { name, kind, provider }: PushedModel,
  path: string,
  replace: boolean,
): Promise<void> {
  const { box, id, keepSource, signal } = push;
  const jobId = `${jobPrefix(id)}${randomUUID()}`;
  const cancel = (): void => cancelJob(push, jobId);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    if (kind === 'example') await box.request('models.importExample', { jobId }, IMPORT_WITHIN_MS);
    else if (kind === 'language') {
      await box.request('language.import', { jobId, path, name }, IMPORT_WITHIN_MS);
    } else {
      const options = { ...(provider !== undefined && { provider }), ...(replace && { replace }) };
      const input = { jobId, path, name, keepSource, ...options };
      await box.request('models.import', input, IMPORT_WITHIN_MS);
    }
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function cancelJob({ box, signal }: BoxPush, jobId: string): void {
  if (!isCancel(signal)) return;
  void box.request('jobs.cancel', { jobId }, ASK_WITHIN_MS).catch(() => undefined); // it ended meanwhile
}

/** Whether a push can go on when the box is back. */
export function isAbsence({ code }: Pick<WireError, 'code'>): boolean {
  return code === 'engine-down' || code === 'unavailable' || code === 'timeout' || code === 'overloaded';
}

function jobPrefix(push: string): string {
  return `push:${push}:`;
}

function cancelled(name: string): SluiceError {
  return new SluiceError('cancelled', `The push of ${name} was cancelled.`);
}
