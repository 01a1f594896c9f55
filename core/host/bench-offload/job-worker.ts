import { parentPort } from 'node:worker_threads';

import { SluiceError } from '../../contract';
import type { WireError } from '../../contract';
import { runJob } from './jobs';
import type { Job, JobResult } from './jobs';

/** What a worker answers to each job. */
export type JobAnswer =
  { readonly ok: true; readonly result: JobResult } | { readonly ok: false; readonly error: WireError };

parentPort?.on('message', (job: Job) => {
  parentPort?.postMessage(answer(job));
});

function answer(job: Job): JobAnswer {
  try {
    return { ok: true, result: runJob(job) };
  } catch (thrown) {
    return { ok: false, error: SluiceError.from(thrown).toWire() };
  }
}
