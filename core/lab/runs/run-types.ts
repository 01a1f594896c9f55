import { z } from 'zod';

import type { JobResources, JobState } from '../jobs/job-engine';

/** What a run is asked to do; kept with it word for word. */
export interface RunPlan {
  /** Within the working folder. */
  readonly entry: string;
  readonly args: readonly string[];
  /** Added to what the lab sets itself. */
  readonly environment: Readonly<Record<string, string>>;
  readonly resources: JobResources;
  readonly engine: string;
  readonly image?: string | undefined;
  /** -100 to 100, higher first. */
  readonly priority: number;
  /** It is stopped after running this long. */
  readonly limitMs?: number | undefined;
}

export interface LaunchRequest extends RunPlan {
  readonly user: string;
  /** `NAME` or `NAME@VERSION`; absent: the run needs none. */
  readonly dataset?: string | undefined;
  /** The working folder, absolute; what `.sluiceignore` names stays behind. */
  readonly folder: string;
}

/** What a fork does otherwise than its parent. */
export type ForkRequest = { readonly [K in keyof RunPlan]?: RunPlan[K] | undefined } & {
  readonly user: string;
  /** `user/dataset/N`, or a run id. */
  readonly parent: string;
  /** An artifact of the parent; absent: its newest below `checkpoints/`, if there is one. */
  readonly checkpoint?: string | undefined;
};

/** A run of code that is kept already. */
export interface HeldRequest extends RunPlan {
  readonly user: string;
  /** `NAME@VERSION`. */
  readonly dataset?: string | undefined;
  /** Who keeps the code: what its snapshot was taken for. */
  readonly code: string;
  /** It goes on from a checkpoint of this run. */
  readonly from?: RunParent | undefined;
  /** Of MLflow's record. */
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** Told of its id before anything of it can run. */
  readonly onCreated: (runId: string) => void;
}

export interface RunDataset {
  readonly name: string;
  readonly number: number;
  /** Of what the run sees: hidden parts are left out. */
  readonly hash: string;
}

export interface RunParent {
  readonly runId: string;
  readonly name: string;
  readonly checkpoint?: string | undefined;
}

/** `preparing`: its code and data are being laid out. */
export type RunState = JobState | 'preparing';

/** A run as it stands. */
export interface LabRun extends RunPlan {
  /** MLflow's: 32 hexadecimal digits. */
  readonly runId: string;
  /** `user/dataset/N`. */
  readonly name: string;
  readonly user: string;
  readonly experimentId: string;
  readonly dataset?: RunDataset | undefined;
  readonly parent?: RunParent | undefined;
  /** The working folder as it was packed. */
  readonly code: { readonly hash: string; readonly files: number; readonly bytes: number } | undefined;
  /** From 1; each `resume` is one more. */
  readonly attempt: number;
  readonly state: RunState;
  readonly createdMs: number;
  readonly startedMs?: number | undefined;
  readonly endedMs?: number | undefined;
  readonly exitCode?: number | undefined;
  readonly signal?: string | undefined;
  /** Why it waits, failed, or was ended. */
  readonly reason?: string | undefined;
  readonly node?: string | undefined;
  /** From 1, among those that wait for the same engine. */
  readonly position?: number | undefined;
  /** Since when it has not used what it holds. */
  readonly idleSinceMs?: number | undefined;
}

const resourcesSchema = z.strictObject({
  cpus: z.number().positive().max(4096),
  gpus: z.number().int().min(0).max(1024),
  memoryBytes: z.number().int().positive(),
});

export const runPlanSchema = z.strictObject({
  entry: z.string().min(1).max(1000),
  args: z.array(z.string().max(100_000)).max(1000),
  environment: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(100_000)),
  resources: resourcesSchema,
  engine: z.string().min(1).max(100),
  image: z.string().min(1).max(500).optional(),
  priority: z.number().int().min(-100).max(100),
  limitMs: z.number().positive().optional(),
});

/** What is kept of a run, as JSON. */
export const keptRunSchema = runPlanSchema.extend({
  dataset: z.strictObject({ name: z.string(), number: z.number(), hash: z.string() }).optional(),
  parent: z
    .strictObject({ runId: z.string(), name: z.string(), checkpoint: z.string().optional() })
    .optional(),
});

export interface KeptRun extends RunPlan {
  readonly dataset?: RunDataset | undefined;
  readonly parent?: RunParent | undefined;
}

/** Who may be a part of a run's name. */
export const USER_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/i;
/** In the place of a dataset's name, of runs without one. */
export const NO_DATASET = 'none';
