import type { Competitions } from './competitions/competitions';
import type { Datasets } from './datasets/datasets';
import type { JobQueue } from './jobs/queue/job-queue';
import type { RunService } from './runs/run-service';

export interface CollectOptions {
  /** Chunks that were touched in this time stay. */
  readonly graceMs?: number;
  readonly signal?: AbortSignal;
}

/** Bytes that were freed, and of what. */
export interface CollectedRoom {
  readonly freedBytes: number;
  /** Contents that no version and no code of a run or a search refers to. */
  readonly chunkBytes: number;
  /** Datasets laid out for runs of which no version is left. */
  readonly laidOutBytes: number;
  /** What engines kept of jobs whose runs are gone. */
  readonly jobBytes: number;
  /** Predictions of submissions that are over. */
  readonly submissionBytes: number;
}

interface Areas {
  readonly datasets: Datasets;
  readonly runs: RunService;
  readonly competitions: Competitions;
  readonly queue: JobQueue;
}

/**
 * Frees the room of what nothing needs any more.
 * @throws SluiceError `corrupt-store` when what refers to chunks can't be read, `io`, `cancelled`.
 */
export async function collectLab(
  { datasets, runs, competitions, queue }: Areas,
  options: CollectOptions,
): Promise<CollectedRoom> {
  const submissionBytes = await competitions.prune();
  const jobBytes = await queue.forgetEnded((key) => runs.hasJob(key) || competitions.hasJob(key));
  const laidOutBytes = await runs.collectLaidOut();
  const { removedBytes: chunkBytes } = await datasets.collect(options);
  const freedBytes = chunkBytes + laidOutBytes + jobBytes + submissionBytes;
  return { freedBytes, chunkBytes, laidOutBytes, jobBytes, submissionBytes };
}
