import { z } from 'zod';

import { table } from '../table';

const pointSchema = z.object({ resource: z.number(), metric: z.number() });
const trialSchema = z.looseObject({
  id: z.number(),
  parameters: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
  segments: z.number(),
  resource: z.number(),
  /** Null: it diverged. */
  metric: z.number().nullish(),
  best: pointSchema.optional(),
  outcome: z.string().optional(),
});
const shownTrialSchema = trialSchema.extend({
  pool: z.string().optional(),
  runs: z.array(z.object({ runId: z.string(), name: z.string(), state: z.string() })),
});
type ShownTrial = z.infer<typeof shownTrialSchema>;

const summarySchema = z.looseObject({
  id: z.string(),
  state: z.string(),
  reason: z.string().optional(),
  search: z.looseObject({
    metric: z.object({ name: z.string(), direction: z.string() }),
    algorithm: z.union([z.string(), z.looseObject({ name: z.string() })]),
  }),
  plan: z.looseObject({ user: z.string(), entry: z.string(), dataset: z.string().optional() }),
  spentResource: z.number(),
  budget: z.number(),
  trialCount: z.number(),
  best: trialSchema.optional(),
});
/** Of a search's JSON, what commands look at; the rest is passed on. */
export const searchSchema = summarySchema.extend({ trials: z.array(shownTrialSchema) });
export const searchListSchema = z.object({ searches: z.array(summarySchema) });
type ShownSummary = z.infer<typeof summarySchema>;
export type ShownSearch = z.infer<typeof searchSchema>;

/** `search-2: running, 7 trials, 31 of 90 used, best val_acc 0.931 (trial 4)`. */
export function progressText(search: ShownSummary): string {
  const { id, state, reason, trialCount, spentResource, budget } = search;
  const best = bestText(search);
  const facts = [
    `${id}: ${state}`,
    `${trialCount} trials`,
    `${rounded(spentResource)} of ${rounded(budget)} used`,
    ...(best === '' ? [] : [`best ${search.search.metric.name} ${best}`]),
  ].join(', ');
  return reason === undefined ? facts : `${facts}. ${reason}`;
}

export function searchTable(searches: readonly ShownSummary[]): string {
  if (searches.length === 0) return 'No searches. "sluice lab automl run" begins one.';
  return table<ShownSummary>(
    [
      { title: 'search', text: ({ id }) => id },
      { title: 'state', text: ({ state }) => state },
      { title: 'program', text: ({ plan }) => plan.entry },
      { title: 'dataset', text: ({ plan }) => plan.dataset ?? '' },
      { title: 'algorithm', text: ({ search }) => algorithmName(search.algorithm) },
      { title: 'trials', text: ({ trialCount }) => String(trialCount), align: 'right' },
      { title: 'used', text: usedText, align: 'right' },
      { title: 'metric', text: ({ search: { metric } }) => `${metric.direction} ${metric.name}` },
      { title: 'best', text: bestText },
    ],
    searches,
  );
}

export function searchText(search: ShownSearch): string {
  const { best } = search;
  const parts = [
    progressText(search),
    ...(search.trials.length === 0 ? [] : [trialTable(search.trials)]),
    ...(best ? [`Best: trial ${best.id}, ${parametersText(best.parameters)}`] : []),
  ];
  return parts.join('\n\n');
}

function trialTable(trials: readonly ShownTrial[]): string {
  return table<ShownTrial>(
    [
      { title: 'trial', text: ({ id }) => String(id), align: 'right' },
      { title: 'is', text: stateOf },
      { title: 'trained', text: ({ resource }) => rounded(resource), align: 'right' },
      { title: 'metric', text: metricText, align: 'right' },
      { title: 'best', text: ({ best }) => (best ? rounded(best.metric) : ''), align: 'right' },
      { title: 'run', text: ({ runs }) => runs.at(-1)?.name ?? '' },
      { title: 'parameters', text: ({ parameters }) => parametersText(parameters) },
    ],
    trials,
  );
}

const POOL_NAMES: Readonly<Record<string, string>> = {
  live: 'in training',
  stop: 'paused',
  dead: 'given up',
  finished: 'finished',
};

function stateOf({ pool, outcome }: ShownTrial): string {
  return outcome === 'failed' ? 'failed' : (POOL_NAMES[pool ?? ''] ?? '');
}

function metricText({ metric }: ShownTrial): string {
  return metric === null ? 'diverged' : metric === undefined ? '' : rounded(metric);
}

function algorithmName(algorithm: ShownSummary['search']['algorithm']): string {
  return typeof algorithm === 'string' ? algorithm : algorithm.name;
}

function usedText({ spentResource, budget }: ShownSummary): string {
  return `${rounded(spentResource)}/${rounded(budget)}`;
}

function bestText({ best }: ShownSummary): string {
  return best?.best ? `${rounded(best.best.metric)} (trial ${best.id})` : '';
}

function parametersText(parameters: ShownTrial['parameters']): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name}=${typeof value === 'number' ? rounded(value) : String(value)}`)
    .join(' ');
}

/** Four significant digits. */
function rounded(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}
