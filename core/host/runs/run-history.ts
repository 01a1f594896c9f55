import { z } from 'zod';

import { PIPELINE_MODES } from '../../contract';
import type { PlanDetail, RunRecord, RunResult, WireError } from '../../contract';

/** Runs remembered, here and by the console. */
export const KEPT_RUNS = 200;

/** Written by ourselves: the outline is checked, the nested figures are taken as they are. */
const record = z.object({
  id: z.string(),
  model: z.string(),
  mode: z.enum(PIPELINE_MODES),
  budgetBytes: z.number(),
  inputName: z.string(),
  startedAt: z.string(),
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  error: z.custom<WireError>(isObject).exactOptional(),
  stats: z
    .object({
      inferences: z.number(),
      medianMs: z.number(),
      p50Ms: z.number(),
      p99Ms: z.number(),
      lastMs: z.number(),
      lastStallMs: z.number(),
      readBytesLast: z.number(),
      missedDeadlines: z.number(),
    })
    .exactOptional(),
  plan: z.custom<PlanDetail>(isObject).exactOptional(),
  result: z.custom<RunResult>(isObject).exactOptional(),
  hasTrace: z.boolean(),
});
export const runHistorySchema: z.ZodType<readonly RunRecord[]> = z.array(record).readonly();

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Runs of an earlier engine, as this one shows them: no traces, and what was going on is lost. */
export function recoverRuns(runs: readonly RunRecord[]): readonly RunRecord[] {
  return runs.map((run) => {
    const past = { ...run, hasTrace: false };
    if (run.state !== 'running') return past;
    const message = 'The engine process ended while this run was going on. Start it again.';
    return { ...past, state: 'failed', error: { code: 'engine-down', message, details: {} } };
  });
}
