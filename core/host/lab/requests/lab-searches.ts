import { z } from 'zod';

import { SluiceError } from '../../../contract';
import type { LabParameter, LabSearch, LabSearchSummary, LabTrial, RequestInput } from '../../../contract';
import type { LabApi } from '../connection/lab-api';
import { launchOf } from './run-plan';

const valueSchema = z.union([z.number(), z.string(), z.boolean()]);
/** As it was asked for: a bare value is a constant, and a scale that is not said is linear. */
const parameterSchema = z.union([
  z.object({
    type: z.enum(['float', 'int']),
    min: z.number(),
    max: z.number(),
    scale: z.enum(['linear', 'log']).default('linear'),
  }),
  z.object({ type: z.literal('choice'), values: z.array(valueSchema) }),
  z
    .object({ type: z.literal('constant'), value: valueSchema })
    .transform(({ type, value }) => ({ type, values: [value] })),
  valueSchema.transform((value) => ({ type: 'constant' as const, values: [value] })),
]);
const pointSchema = z.object({ resource: z.number(), metric: z.number() });
const trialSchema = z.object({
  id: z.number(),
  parameters: z.record(z.string(), valueSchema),
  from: z.object({ trial: z.number() }).optional(),
  resource: z.number(),
  /** Null: it diverged. */
  metric: z.number().nullish(),
  best: pointSchema.optional(),
  outcome: z.enum(['completed', 'failed']).optional(),
});
const shownTrialSchema = trialSchema.extend({
  pool: z.enum(['live', 'stop', 'dead', 'finished']).optional(),
  runs: z.array(z.object({ runId: z.string(), name: z.string() })),
});
const summarySchema = z.object({
  id: z.string(),
  state: z.enum(['running', 'interrupted', 'done', 'stopped', 'failed']),
  reason: z.string().optional(),
  createdMs: z.number(),
  search: z.object({
    space: z.record(z.string(), parameterSchema),
    metric: z.object({ name: z.string(), direction: z.enum(['max', 'min']) }),
    algorithm: z.union([z.string(), z.object({ name: z.string() }).transform(({ name }) => name)]),
  }),
  plan: z.object({ user: z.string(), entry: z.string(), dataset: z.string().optional() }),
  spentResource: z.number(),
  budget: z.number(),
  trialCount: z.number(),
  best: trialSchema.optional(),
});
const searchSchema = summarySchema.extend({ trials: z.array(shownTrialSchema) });

export async function listSearches(api: LabApi): Promise<readonly LabSearchSummary[]> {
  const { searches } = await api.get('searches', z.object({ searches: z.array(summarySchema) }));
  return searches.map(summaryOf);
}

export async function readSearch(api: LabApi, id: string): Promise<LabSearch> {
  return searchOf(await api.get(pathOf(id), searchSchema));
}

/** @throws SluiceError `bad-input` for what is no JSON, what the lab answers. */
export async function startSearch(
  api: LabApi,
  { name, search, trials }: RequestInput<'lab.startSearch'>,
): Promise<LabSearch> {
  const body = {
    ...(name !== undefined && { name }),
    search: settingsIn(search),
    trials: launchOf(trials),
  };
  return searchOf(await api.send('POST', 'searches', body, searchSchema));
}

export async function narrowSearch(
  api: LabApi,
  { id, ...asked }: RequestInput<'lab.narrowSearch'>,
): Promise<LabSearch> {
  return searchOf(await api.send('POST', `${pathOf(id)}/narrow`, asked, searchSchema));
}

export async function changeSearch(api: LabApi, id: string, change: 'stop' | 'resume'): Promise<LabSearch> {
  return searchOf(await api.send('POST', `${pathOf(id)}/${change}`, {}, searchSchema));
}

export async function removeSearch(api: LabApi, id: string): Promise<Record<string, never>> {
  await api.send('DELETE', pathOf(id), undefined, z.object({}));
  return {};
}

function settingsIn(text: string): Record<string, unknown> {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('bad-input', `The search: expected JSON, found ${reason}.`, {}, { cause });
  }
  const settings = z.record(z.string(), z.unknown()).safeParse(found);
  if (settings.success) return settings.data;
  const message =
    'The search: expected an object like {"space": {...}, "metric": {...}, ...}, found other JSON.';
  throw new SluiceError('bad-input', message);
}

function searchOf(search: z.output<typeof searchSchema>): LabSearch {
  const parameters = Object.entries(search.search.space).map(([name, parameter]): LabParameter => ({
    name,
    ...parameter,
  }));
  return { ...summaryOf(search), parameters, trials: search.trials.map(trialOf) };
}

function summaryOf(search: z.output<typeof summarySchema>): LabSearchSummary {
  const { id, state, reason, createdMs, plan, spentResource, budget, trialCount, best } = search;
  const { algorithm, metric } = search.search;
  return {
    id,
    state,
    ...(reason !== undefined && { reason }),
    createdMs,
    user: plan.user,
    algorithm,
    metric,
    entry: plan.entry,
    ...(plan.dataset !== undefined && { dataset: plan.dataset }),
    spentResource,
    budget,
    trialCount,
    ...(best?.best && { best: best.best.metric, bestTrial: best.id }),
  };
}

function trialOf(trial: z.output<typeof shownTrialSchema>): LabTrial {
  const { id, parameters, from, resource, metric, best, pool, outcome, runs } = trial;
  const last = runs.at(-1);
  return {
    id,
    parameters,
    resource,
    ...(metric !== undefined && metric !== null && { metric }),
    ...(best && { best: best.metric }),
    ...(pool && { pool }),
    ...(outcome && { outcome }),
    ...(from && { from: from.trial }),
    ...(last && { runId: last.runId, runName: last.name }),
  };
}

function pathOf(id: string): string {
  return `searches/${encodeURIComponent(id)}`;
}
