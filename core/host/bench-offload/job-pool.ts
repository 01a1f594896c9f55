import { Worker } from 'node:worker_threads';

import { workerFile } from '../../base';
import { SluiceError } from '../../contract';
import type { JobAnswer } from './job-worker';
import type { Job, JobResult } from './jobs';

/**
 * Runs jobs in worker threads, the next as soon as one is free. Results come in the order of the jobs.
 * @throws the first job's SluiceError; the workers are ended then.
 */
export async function runJobs(
  jobs: readonly Job[],
  threads: number,
  onDone: (job: Job, done: number) => void,
): Promise<JobResult[]> {
  const results: JobResult[] = [];
  let next = 0;
  let done = 0;
  const path = workerFile('bench-offload-worker');
  const work = async (): Promise<void> => {
    const worker = new Worker(path);
    try {
      for (let index = next++; index < jobs.length; index = next++) {
        const job = jobs[index]!;
        results[index] = await ask(worker, job);
        done += 1;
        onDone(job, done);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, work));
  return results;
}

function ask(worker: Worker, job: Job): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      worker.off('message', onMessage);
      worker.off('error', onError);
      finish();
    };
    const onMessage = (answer: JobAnswer): void => {
      settle(() => {
        if (answer.ok) resolve(answer.result);
        else reject(SluiceError.fromWire(answer.error));
      });
    };
    const onError = (cause: Error): void => {
      settle(() => reject(SluiceError.from(cause)));
    };
    worker.on('message', onMessage);
    worker.on('error', onError);
    worker.postMessage(job);
  });
}
