import { createStore } from 'zustand/vanilla';
import type { StoreApi } from 'zustand/vanilla';

import type { Job, WireError } from '../../core/contract';
import { measureRate } from './progress-rate';
import type { ProgressRate } from './progress-rate';

/** A job and how fast it goes, from its own progress reports. */
export interface TrackedJob extends ProgressRate {
  readonly job: Job;
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

/** Adds one progress report and measures the rate over the window. */
export function trackJob(previous: TrackedJob | undefined, job: Job, nowMs: number): TrackedJob {
  return { job, ...measureRate(previous, job, nowMs) };
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
