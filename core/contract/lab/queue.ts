import type { LabResources, LabRunState } from './runs';

export interface LabQueueJob {
  readonly key: string;
  /** The run's, or the submission's: `submission 12`. */
  readonly title: string;
  readonly runId?: string;
  readonly user: string;
  readonly engine: string;
  readonly priority: number;
  readonly state: LabRunState;
  readonly resources: LabResources;
  readonly submittedMs: number;
  readonly startedMs?: number;
  readonly node?: string;
  readonly position?: number;
  readonly reason?: string;
}

export interface LabNode {
  readonly engine: string;
  readonly name: string;
  readonly total: LabResources;
  readonly free: LabResources;
  readonly isUp: boolean;
  /** `NAME@VERSION` of the datasets it holds already. */
  readonly datasets: readonly string[];
}

export interface LabQueue {
  readonly jobs: readonly LabQueueJob[];
  readonly nodes: readonly LabNode[];
  /** Of this console's user, today (UTC); a budget that is absent has no end. */
  readonly account: {
    readonly cpuMinutes: number;
    readonly gpuMinutes: number;
    readonly cpuMinutesBudget?: number;
    readonly gpuMinutesBudget?: number;
  };
}

export interface LabQueueRequests {
  'lab.queue': { input: Record<string, never>; output: LabQueue };
}
