import { z } from 'zod';

import type { LabQueue } from '../../../contract';
import type { LabApi } from '../connection/lab-api';

const resourcesSchema = z.object({ cpus: z.number(), gpus: z.number(), memoryBytes: z.number() });
const jobSchema = z.object({
  key: z.string(),
  title: z.string(),
  runId: z.string().exactOptional(),
  user: z.string(),
  engine: z.string(),
  priority: z.number(),
  state: z.enum(['queued', 'running', 'stopping', 'succeeded', 'failed', 'stopped', 'lost']),
  resources: resourcesSchema,
  submittedMs: z.number(),
  startedMs: z.number().exactOptional(),
  node: z.string().exactOptional(),
  position: z.number().exactOptional(),
  reason: z.string().exactOptional(),
});
const nodeSchema = z.object({
  engine: z.string(),
  name: z.string(),
  total: resourcesSchema,
  free: resourcesSchema,
  isUp: z.boolean(),
  datasets: z.array(z.string()),
});
const queueSchema = z.object({
  jobs: z.array(jobSchema),
  nodes: z.array(nodeSchema),
  account: z.object({
    cpuMinutes: z.number(),
    gpuMinutes: z.number(),
    /** JSON has no infinity: null is a budget without end. */
    budget: z.object({ cpuMinutes: z.number().nullable(), gpuMinutes: z.number().nullable() }),
  }),
});

/** @throws SluiceError what the lab answers, `unavailable`, as all here. */
export async function readQueue(api: LabApi): Promise<LabQueue> {
  const { jobs, nodes, account } = await api.get('queue', queueSchema);
  const { cpuMinutes, gpuMinutes, budget } = account;
  return {
    jobs,
    nodes,
    account: {
      cpuMinutes,
      gpuMinutes,
      ...(budget.cpuMinutes !== null && { cpuMinutesBudget: budget.cpuMinutes }),
      ...(budget.gpuMinutes !== null && { gpuMinutesBudget: budget.gpuMinutes }),
    },
  };
}
