import { isAbsolute } from 'node:path';

import { z } from 'zod';

import { runPlanSchema } from '../../runs/run-types';
import type { TrialTask } from '../driver/trial-runner';
import { brushSchema } from '../space/narrow-space';

/** An argument's name, without its hyphens; empty: the program is not told by an argument. */
const argumentName = z
  .string()
  .regex(/^([A-Za-z][A-Za-z0-9_.-]{0,99})?$/, 'expected the name of an argument');

/** How the trials of a search are run; each gets its parameters behind `args`. */
const trialPlanSchema = runPlanSchema.extend({
  dataset: z.string().max(300).exactOptional(),
  /** Trials are given `--NAME N`: train until N. */
  resourceArgument: argumentName.default('resource'),
  /** What a trial gets to end by itself after its last report: to write its checkpoint. */
  finishMs: z.number().min(0).max(3_600_000).default(30_000),
  /** Also those that nobody goes on from. */
  keepCheckpoints: z.boolean().default(false),
});

/** As a search keeps it: the user's name with it. */
export const keptTrialPlanSchema = trialPlanSchema.extend({ user: z.string() });
export type TrialPlan = z.infer<typeof keptTrialPlanSchema>;

/** Absent: `search-1`, `search-2`, ... */
const searchName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/, 'expected letters, digits and hyphens, at most 40')
  .exactOptional();

/** What launching a search takes; `search` is what `parseSearch` reads. */
export const searchRequestSchema = z.strictObject({
  name: searchName,
  search: z.record(z.string(), z.unknown()),
  trials: trialPlanSchema.extend({
    folder: z.string().refine(isAbsolute, 'expected an absolute path on the machine of the lab'),
  }),
});
export type SearchRequest = z.infer<typeof searchRequestSchema>;

/** A search like another one, within a part of its space. */
export const narrowRequestSchema = z.strictObject({
  name: searchName,
  brushes: z.array(brushSchema).max(200),
});
export type NarrowRequest = z.infer<typeof narrowRequestSchema>;

/** Resources are steps, and those are whole. */
export function lastStep(untilResource: number): number {
  return Math.ceil(untilResource);
}

/** `--lr 0.1 --nesterov true --resource 9`. */
export function trialArguments({ args, resourceArgument }: TrialPlan, task: TrialTask): readonly string[] {
  return [
    ...args,
    ...Object.entries(task.parameters).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ...(resourceArgument === '' ? [] : [`--${resourceArgument}`, String(lastStep(task.untilResource))]),
  ];
}

/** What a trial can read besides; its checkpoint is at `SLUICE_CHECKPOINT`. */
export function trialEnvironment(
  { environment }: TrialPlan,
  { search, trial, startResource, untilResource, checkpointEvery }: TrialTask,
): Readonly<Record<string, string>> {
  return {
    SLUICE_SEARCH: search,
    SLUICE_TRIAL: String(trial),
    SLUICE_RESOURCE_FROM: String(startResource),
    SLUICE_RESOURCE_UNTIL: String(lastStep(untilResource)),
    ...(checkpointEvery !== undefined && { SLUICE_CHECKPOINT_EVERY: String(checkpointEvery) }),
    ...environment,
  };
}
