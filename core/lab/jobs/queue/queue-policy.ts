import type { JobResources } from '../job-engine';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** The rules of a queue. */
export interface QueuePolicy {
  /** What one GPU counts for, in processors, where use is compared. */
  readonly gpuWeight: number;
  /** Use counts half as much after this long. */
  readonly shareHalfLifeMs: number;
  /** Waiting this long is worth one step of priority: nobody waits forever. */
  readonly agingMs: number;
  /** What one user may have at once. */
  readonly mostPerUser: {
    readonly running: number;
    readonly waiting: number;
    readonly cpus: number;
    readonly gpus: number;
  };
  /** Of users without one of their own. */
  readonly budget: DayBudget;
  /** What a job gets to end by itself when it has passed its time or its user's budget. */
  readonly graceMs: number;
}

/** What a user may use in one day (UTC); Infinity: as much as there is. */
export interface DayBudget {
  readonly cpuMinutes: number;
  readonly gpuMinutes: number;
}

export const DEFAULT_POLICY: QueuePolicy = {
  gpuWeight: 8,
  shareHalfLifeMs: DAY_MS,
  agingMs: HOUR_MS,
  mostPerUser: { running: Infinity, waiting: 1_000, cpus: Infinity, gpus: Infinity },
  budget: { cpuMinutes: Infinity, gpuMinutes: Infinity },
  graceMs: 10_000,
};

/** What a job counts for while it runs, in processors. */
export function weightOf({ cpus, gpus }: Pick<JobResources, 'cpus' | 'gpus'>, policy: QueuePolicy): number {
  return cpus + gpus * policy.gpuWeight;
}

/** What is left of use that was counted some time ago. */
export function decayed(use: number, agoMs: number, { shareHalfLifeMs }: QueuePolicy): number {
  return use * 0.5 ** (Math.max(0, agoMs) / shareHalfLifeMs);
}
