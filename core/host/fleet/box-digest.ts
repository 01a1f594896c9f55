import { z } from 'zod';

import { median } from '../../base';
import type { BoxFigures, RequestName, TelemetryBatch, TelemetrySeries } from '../../contract';
import {
  budgetSchema,
  decisionSchema,
  endpointSchema,
  jobSchema,
  languageModelSchema,
  modelSchema,
  offloadSchema,
  runSchema,
} from './told-events';
import type { ToldEvent } from './told-events';
import { deviceInfoSchema, engineInfoSchema } from './wire-schemas';

const MOST_ENTRIES = 10_000;
const MOST_MODELS = 500;
const MOST_ALERTS = 8;
const LONGEST_ALERT = 200;
const ALERT_FOR_MS = 3_600_000;
const DECISIONS_KEPT = 100;

const many = <T extends z.ZodType>(schema: T): z.ZodArray<T> => z.array(schema).max(MOST_ENTRIES);

/** What a digest begins with: each answer of a box, and what it must be. */
const ANSWERS = {
  'engine.info': engineInfoSchema,
  'device.info': deviceInfoSchema,
  'models.list': many(modelSchema),
  'language.models': many(languageModelSchema),
  'runs.list': many(runSchema),
  'jobs.list': many(jobSchema),
  'budget.get': budgetSchema,
  'endpoints.list': many(endpointSchema),
  'offload.state': offloadSchema,
  'offload.decisions': many(decisionSchema),
} as const satisfies { readonly [N in RequestName]?: z.ZodType };
type Answered = keyof typeof ANSWERS;
type Answer<N extends Answered> = z.infer<(typeof ANSWERS)[N]>;

/** Asked for when a box comes online, `engine.info` apart. */
export const DIGEST_REQUESTS: readonly { readonly name: Answered; readonly input: unknown }[] = [
  { name: 'device.info', input: {} },
  { name: 'models.list', input: {} },
  { name: 'language.models', input: {} },
  { name: 'runs.list', input: {} },
  { name: 'jobs.list', input: {} },
  { name: 'budget.get', input: {} },
  { name: 'endpoints.list', input: {} },
  { name: 'offload.state', input: {} },
  { name: 'offload.decisions', input: { limit: DECISIONS_KEPT } },
];

/** Events that change a digest, and the request whose answer they replace. */
const REPLACES: { readonly [E in ToldEvent]?: Answered } = {
  models: 'models.list',
  languageModels: 'language.models',
  budget: 'budget.get',
  endpoints: 'endpoints.list',
  offload: 'offload.state',
};
const DIGESTED: ReadonlySet<ToldEvent> = new Set<ToldEvent>([
  ...(Object.keys(REPLACES) as ToldEvent[]),
  'job',
  'run',
  'decisions',
  'telemetry',
]);

export function isDigested(event: ToldEvent): boolean {
  return DIGESTED.has(event);
}

type Work = {
  readonly id: string;
  readonly state: string;
  readonly startedAt: string;
  readonly what: string;
};

/** Figures of one box, out of what it answers and tells. Payloads were checked as `told-events` has them. */
export class BoxDigest {
  private readonly answers: { [N in Answered]?: Answer<N> } = {};
  private readonly runs = new Map<string, Work>();
  private readonly jobs = new Map<string, Work>();
  private readonly decisions = new Map<number, number | undefined>();
  private latest: Partial<Record<TelemetrySeries, number>> = {};
  /** By the box's clock, which may differ from ours. */
  private boxNowMs: number | undefined;

  constructor(private readonly nowMs: () => number) {}

  /** @returns what is wrong with an answer; undefined when it was taken. */
  take(name: Answered, value: unknown): string | undefined {
    const parsed = ANSWERS[name].safeParse(value);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      return `${name}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`;
    }
    this.answers[name] = parsed.data as never;
    if (name === 'runs.list') this.replace(this.runs, parsed.data as Answer<'runs.list'>, runWork);
    if (name === 'jobs.list') this.replace(this.jobs, parsed.data as Answer<'jobs.list'>, jobWork);
    if (name === 'offload.decisions') this.takeDecisions(parsed.data as Answer<'offload.decisions'>);
    return undefined;
  }

  tell(event: ToldEvent, payload: unknown): void {
    const replaced = REPLACES[event];
    if (replaced !== undefined) this.answers[replaced] = payload as never;
    else if (event === 'run') this.put(this.runs, runWork(payload as Answer<'runs.list'>[number]));
    else if (event === 'job') this.put(this.jobs, jobWork(payload as Answer<'jobs.list'>[number]));
    else if (event === 'decisions') this.takeDecisions(payload as Answer<'offload.decisions'>);
    else if (event === 'telemetry') this.takeTelemetry(payload as TelemetryBatch);
  }

  /** @returns undefined before the box has told what it is. */
  figures(): BoxFigures | undefined {
    const { 'engine.info': info, 'device.info': device } = this.answers;
    if (!info || !device) return undefined;
    const budget = this.answers['budget.get'];
    const figure = (series: TelemetrySeries): number => this.latest[series] ?? NaN;
    const memTotalBytes = figure('memTotalBytes');
    return {
      hostname: device.hostname,
      version: info.version,
      cpu: device.cpu,
      cores: device.cores,
      cpuPct: figure('cpuPct'),
      memUsedBytes: figure('memUsedBytes'),
      memTotalBytes: Number.isNaN(memTotalBytes) ? device.memTotalBytes : memTotalBytes,
      diskReadBytesPerSec: figure('diskReadBytesPerSec'),
      budgetLimitBytes: budget?.limitBytes ?? 0,
      budgetUsedBytes: (budget?.holders ?? []).reduce(
        (sum, { ringBytes, residentBytes, constantBytes }) => sum + ringBytes + residentBytes + constantBytes,
        0,
      ),
      models: this.models(),
      runsGoing: going(this.runs),
      jobsGoing: going(this.jobs),
      alerts: this.alerts(),
      ...this.deployment(),
    };
  }

  private models(): BoxFigures['models'] {
    const networks = this.answers['models.list'] ?? [];
    const language = this.answers['language.models'] ?? [];
    return [
      ...networks.map(({ name, weightBytes }) => ({ name, kind: 'network' as const, bytes: weightBytes })),
      ...language.map(({ name, weightBytes }) => ({ name, kind: 'language' as const, bytes: weightBytes })),
    ].slice(0, MOST_MODELS);
  }

  private alerts(): readonly string[] {
    const sinceMs = (this.boxNowMs ?? this.nowMs()) - ALERT_FOR_MS;
    const failed = [...this.jobs.values(), ...this.runs.values()].filter(
      ({ state, startedAt }) => state === 'failed' && Date.parse(startedAt) >= sinceMs,
    );
    const unreachable = (this.answers['endpoints.list'] ?? []).filter(({ health }) =>
      ['unreachable', 'refused'].includes(health.state),
    );
    return [
      ...unreachable.map(({ name, health }) => `endpoint ${name}: ${health.state}`),
      ...failed.reverse().map(({ what }) => what),
    ]
      .slice(0, MOST_ALERTS)
      .map((alert) => alert.slice(0, LONGEST_ALERT));
  }

  private deployment(): Pick<BoxFigures, 'decisions'> {
    const offload = this.answers['offload.state'];
    if (offload?.state !== 'running') return {};
    const responses = [...this.decisions.values()].filter((ms) => ms !== undefined);
    const medianResponseMs = responses.length === 0 ? NaN : median(responses);
    return { decisions: { total: offload.rounds, medianResponseMs } };
  }

  private replace<T>(works: Map<string, Work>, list: readonly T[], workOf: (item: T) => Work): void {
    works.clear();
    for (const item of list) this.put(works, workOf(item));
  }

  /** What is done needs no memory. */
  private put(works: Map<string, Work>, work: Work): void {
    works.delete(work.id);
    if (work.state !== 'running' && work.state !== 'failed') return;
    works.set(work.id, work);
    if (works.size <= MOST_ENTRIES) return;
    const [oldest] = works.keys();
    if (oldest !== undefined) works.delete(oldest);
  }

  private takeDecisions(list: Answer<'offload.decisions'>): void {
    for (const { id, meanResponseMs } of list) this.decisions.set(id, meanResponseMs);
    const old = [...this.decisions.keys()].sort((a, b) => b - a).slice(DECISIONS_KEPT);
    for (const id of old) this.decisions.delete(id);
  }

  private takeTelemetry({ timeMs, series }: TelemetryBatch): void {
    const last = timeMs.length - 1;
    if (last < 0) return;
    this.boxNowMs = timeMs[last];
    this.latest = Object.fromEntries(
      Object.entries(series).map(([name, values]) => [name, values[last] ?? NaN]),
    );
  }
}

function going(works: ReadonlyMap<string, Work>): number {
  return [...works.values()].filter(({ state }) => state === 'running').length;
}

function runWork({ id, model, startedAt, state, error }: Answer<'runs.list'>[number]): Work {
  return { id, state, startedAt, what: `run of ${model}: ${error?.message ?? 'failed'}` };
}

function jobWork({ id, kind, subject, startedAt, state, error }: Answer<'jobs.list'>[number]): Work {
  return { id, state, startedAt, what: `${kind} of ${subject}: ${error?.message ?? 'failed'}` };
}
