import { z } from 'zod';

/** Of a run's JSON, what is looked at; the rest is passed on. */
export const runSchema = z.looseObject({
  runId: z.string(),
  name: z.string(),
  user: z.string(),
  entry: z.string(),
  args: z.array(z.string()),
  resources: z.object({ cpus: z.number(), gpus: z.number(), memoryBytes: z.number() }),
  engine: z.string(),
  attempt: z.number(),
  state: z.string(),
  createdMs: z.number(),
  startedMs: z.number().optional(),
  endedMs: z.number().optional(),
  exitCode: z.number().optional(),
  signal: z.string().optional(),
  reason: z.string().optional(),
  position: z.number().optional(),
  idleSinceMs: z.number().optional(),
});
export type ShownRun = z.infer<typeof runSchema>;
