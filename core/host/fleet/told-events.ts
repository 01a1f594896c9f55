import { z } from 'zod';

import type { Events } from '../../contract';

/** What a box may tell that is not about its own fleet. */
export type ToldEvent = Events['fleetTold']['event'];

/** Longest lists that are still those of one box. */
const MOST_ENTRIES = 10_000;
const list = z.array(z.looseObject({})).max(MOST_ENTRIES);
const record = z.looseObject({});
const figure = z.number();
const name = z.string().max(1000);
const error = z.looseObject({ code: z.string(), message: z.string() });

export const jobSchema = z.looseObject({
  id: name,
  kind: name,
  subject: z.string().max(5000),
  phase: z.string().max(5000),
  doneBytes: figure,
  totalBytes: figure,
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  startedAt: name,
  error: error.optional(),
});
export const runSchema = z.looseObject({
  id: name,
  model: name,
  startedAt: name,
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  error: error.optional(),
});
export const modelSchema = z.looseObject({ name, weightBytes: figure, state: name });
export const languageModelSchema = z.looseObject({
  name,
  weightBytes: figure,
  state: name,
  sha256: z.string().optional(),
});
export const endpointSchema = z.looseObject({ name, health: z.looseObject({ state: name }) });
export const budgetSchema = z.looseObject({
  limitBytes: figure,
  holders: z
    .array(z.looseObject({ ringBytes: figure, residentBytes: figure, constantBytes: figure }))
    .max(MOST_ENTRIES),
});
export const offloadSchema = z.looseObject({ state: name, rounds: figure });
export const decisionSchema = z.looseObject({ id: figure, meanResponseMs: figure.optional() });

const samples = z.instanceof(Float32Array);
export const telemetrySchema = z
  .looseObject({ timeMs: z.instanceof(Float64Array), series: z.record(z.string(), samples), dropped: figure })
  .refine(
    ({ timeMs, series }) => Object.values(series).every(({ length }) => length === timeMs.length),
    'expected columns of one length',
  );

function many<T extends z.ZodType>(schema: T): z.ZodArray<T> {
  return z.array(schema).max(MOST_ENTRIES);
}

/** What each must be at least to be passed on; those that figures are made of in the parts that are read. */
const EVENT_SCHEMAS: { readonly [E in ToldEvent]: z.ZodType } = {
  job: jobSchema,
  models: many(modelSchema),
  removed: list,
  run: runSchema,
  result: z.looseObject({ runId: name, result: record }),
  budget: budgetSchema,
  telemetry: telemetrySchema,
  endpoints: many(endpointSchema),
  offload: offloadSchema,
  decisions: many(decisionSchema),
  languageModels: many(languageModelSchema),
  conversations: list,
  languageProgress: record,
  message: z.looseObject({ conversationId: name, message: record }),
  lab: z.looseObject({ state: name }),
  labChange: z.looseObject({ parts: z.array(z.string()).max(100) }),
};

export function isToldEvent(event: unknown): event is ToldEvent {
  return typeof event === 'string' && Object.hasOwn(EVENT_SCHEMAS, event);
}

/** @returns why a payload is not what that event tells; undefined when it is. */
export function faultOfEvent(event: ToldEvent, payload: unknown): string | undefined {
  const parsed = EVENT_SCHEMAS[event].safeParse(payload);
  if (parsed.success) return undefined;
  return parsed.error.issues
    .slice(0, 3)
    .map(({ path, message }) => `${[event, ...path].join('.')}: ${message}`)
    .join('; ');
}
