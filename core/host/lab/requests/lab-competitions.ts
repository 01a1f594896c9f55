import { z } from 'zod';

import type { LabBoardRow, LabCompetition, LabSubmission, RequestInput } from '../../../contract';
import type { LabApi } from '../connection/lab-api';

const competitionSchema = z
  .object({
    name: z.string(),
    title: z.string(),
    description: z.string(),
    dataset: z.object({ name: z.string(), version: z.string() }),
    owner: z.string(),
    metric: z.object({ name: z.string(), direction: z.enum(['max', 'min']) }),
    submissionsPerDay: z.number(),
    leftToday: z.number(),
    deadlineMs: z.number().exactOptional(),
    createdMs: z.number(),
  })
  .transform(({ dataset: { name, version }, ...rest }) => ({ ...rest, dataset: `${name}@${version}` }));
const rowSchema = z.object({
  rank: z.number(),
  user: z.string(),
  score: z.number(),
  submittedMs: z.number(),
  submissions: z.number(),
  runId: z.string().exactOptional(),
});
const submissionSchema = z
  .object({
    id: z.number(),
    competition: z.string(),
    runId: z.string(),
    /** Absent: the lab does not know the run any more. */
    runName: z.string().optional(),
    checkpoint: z.string().exactOptional(),
    isDryRun: z.boolean(),
    state: z.enum(['queued', 'inferring', 'scoring', 'scored', 'failed']),
    score: z.number().exactOptional(),
    error: z.string().exactOptional(),
    submittedMs: z.number(),
  })
  .transform(({ runName, ...rest }) => ({ ...rest, runName: runName ?? rest.runId.slice(0, 8) }));
const runSchema = z.object({ runId: z.string() });

export async function listCompetitions(api: LabApi): Promise<readonly LabCompetition[]> {
  const schema = z.object({ competitions: z.array(competitionSchema) });
  return (await api.get('competitions?left=true', schema)).competitions;
}

export async function readBoard(api: LabApi, competition: string): Promise<readonly LabBoardRow[]> {
  const schema = z.object({ rows: z.array(rowSchema) });
  return (await api.get(`${pathOf(competition)}/board?own=true`, schema)).rows;
}

export async function listSubmissions(api: LabApi, competition: string): Promise<readonly LabSubmission[]> {
  const schema = z.object({ submissions: z.array(submissionSchema) });
  return (await api.get(`${pathOf(competition)}/submissions`, schema)).submissions;
}

export async function submitRun(
  api: LabApi,
  { run, competition, checkpoint, isDryRun }: RequestInput<'lab.submit'>,
): Promise<LabSubmission> {
  const { runId } = await api.get(`runs/${encodeURIComponent(run)}`, runSchema);
  const body = { runId, isDryRun, ...(checkpoint !== undefined && { checkpoint }) };
  return api.send('POST', `${pathOf(competition)}/submissions`, body, submissionSchema);
}

function pathOf(competition: string): string {
  return `competitions/${encodeURIComponent(competition)}`;
}
