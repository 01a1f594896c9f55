import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { Job, WireError } from '../../core/contract';

/** A job and how fast it goes, from its own progress reports. */
export interface TrackedJob {
  readonly job: Job;
  /** Bytes a second over the last few seconds; undefined until two reports of one phase. */
  readonly bytesPerSec?: number;
  /** Seconds to the end of the phase at that rate. */
  readonly etaSec?: number;
  /** Progress reports of the present phase, oldest first. */
  readonly reports: readonly { readonly atMs: number; readonly doneBytes: number }[];
}

export interface JobsState {
  /** Newest first. */
  readonly jobs: readonly TrackedJob[];
  readonly actions: {
    readonly update: (job: Job) => void;
    readonly replaceAll: (jobs: readonly Job[]) => void;
    /** Running jobs can't go on: the engine they ran in is gone. */
    readonly failRunning: (error: WireError) => void;
    readonly dismiss: (jobId: string) => void;
  };
}

export type JobsStore = StoreApi<JobsState>;

const RATE_WINDOW_MS = 4_000;

/** Adds one progress report and measures the rate over the window. */
export function trackJob(previous: TrackedJob | undefined, job: Job, nowMs: number): TrackedJob {
  const samePhase = previous?.job.phase === job.phase && previous.job.doneBytes <= job.doneBytes;
  const kept = samePhase ? previous.reports.filter(({ atMs }) => nowMs - atMs <= RATE_WINDOW_MS) : [];
  const reports = [...kept, { atMs: nowMs, doneBytes: job.doneBytes }];
  const first = reports[0];
  if (first === undefined || nowMs - first.atMs < 200 || job.doneBytes === first.doneBytes)
    return { job, reports };
  const bytesPerSec = ((job.doneBytes - first.doneBytes) / (nowMs - first.atMs)) * 1000;
  if (job.totalBytes === 0) return { job, reports, bytesPerSec };
  return { job, reports, bytesPerSec, etaSec: Math.max(0, job.totalBytes - job.doneBytes) / bytesPerSec };
}

/** Imports, profiles and verifications. `nowMs`: monotonic milliseconds. */
export function createJobsStore(nowMs: () => number): JobsStore {
  return createStore<JobsState>((set) => ({
    jobs: [],
    actions: {
      update: (job) =>
        set(({ jobs }) => {
          const previous = jobs.find((tracked) => tracked.job.id === job.id);
          const tracked = trackJob(previous, job, nowMs());
          return {
            jobs:
              previous === undefined
                ? [tracked, ...jobs]
                : jobs.map((old) => (old === previous ? tracked : old)),
          };
        }),
      replaceAll: (list) =>
        set(({ jobs }) => {
          const listed = new Set(list.map((job) => job.id));
          const known = jobs.filter(({ job }) => !listed.has(job.id) && job.state !== 'running');
          return { jobs: [...[...list].reverse().map((job) => trackJob(undefined, job, nowMs())), ...known] };
        }),
      failRunning: (error) =>
        set(({ jobs }) => ({
          jobs: jobs.map((tracked) =>
            tracked.job.state === 'running'
              ? { ...tracked, job: { ...tracked.job, state: 'failed', error } }
              : tracked,
          ),
        })),
      dismiss: (jobId) => set(({ jobs }) => ({ jobs: jobs.filter(({ job }) => job.id !== jobId) })),
    },
  }));
}
