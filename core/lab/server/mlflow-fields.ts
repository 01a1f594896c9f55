import { z } from 'zod';

import type { Int64 } from '../tracking/points';
import type { KeyValue, LoggedMetric } from '../tracking/tracking-types';

/**
 * The types of MLflow's messages as JSON brings them (protobuf's mapping): 64-bit integers and doubles also as texts,
 * enumerations as names or numbers, null for what is not given.
 */

const INTEGER = /^-?\d{1,19}$/;
const INT64_MIN = -(2n ** 63n);
const INT64_MAX = 2n ** 63n - 1n;
const NUMBER = /^-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const SPECIAL = ['NaN', 'Infinity', '-Infinity'];
const SHOWN_CHARACTERS = 60;

export function given<T extends z.ZodType>(schema: T): z.ZodType<z.output<T> | undefined> {
  return z.preprocess((value) => value ?? undefined, schema.optional());
}

export const text = z.string({ error: ({ input }) => expected('a text', input) });

/** A safe integer: a number of results, a time in milliseconds. */
export const integer = parsedBy<number>('an integer', (value) => {
  const parsed = int64Of(value);
  return typeof parsed === 'number' ? parsed : undefined;
});

export const time = parsedBy<number>('milliseconds since 1970, an integer from 0', (value) => {
  const parsed = int64Of(value);
  return typeof parsed === 'number' && parsed >= 0 ? parsed : undefined;
});

export const int64 = parsedBy<Int64>('a 64-bit integer', int64Of);

export const flag = parsedBy<boolean>('true or false', (value) =>
  value === true || value === 'true' ? true : value === false || value === 'false' ? false : undefined,
);

/** @param numbers the numbers of its names, in MLflow's service.proto. */
export function oneOfNames<T extends string>(numbers: Readonly<Record<T, number>>): z.ZodType<T> {
  const names = Object.keys(numbers) as T[];
  return parsedBy<T>(`one of ${names.join(', ')}`, (value) =>
    names.find((name) => name === value || String(numbers[name]) === String(value)),
  );
}

/** A list; a query has one of a single value as that value alone. */
export function listOf<T extends z.ZodType>(item: T): z.ZodType<z.output<T>[]> {
  const list = z.array(item, { error: ({ input }) => expected('a list', input) });
  return z.preprocess((value) => value ?? [], list);
}

export function queryListOf<T extends z.ZodType>(item: T): z.ZodType<z.output<T>[]> {
  return z.preprocess((value) => (typeof value === 'string' ? [value] : value), listOf(item));
}

const object = { error: ({ input }: { input: unknown }) => expected('an object', input) };

/** A param or a tag. An empty value may be left out. */
export const pair: z.ZodType<KeyValue> = z
  .object({ key: text, value: given(text) }, object)
  .transform(({ key, value = '' }) => ({ key, value }));

export const fields = <T extends z.ZodRawShape>(shape: T) => z.object(shape, object);

/** Metrics come by the thousand: checked by hand, which costs a tenth. */
export const metrics: z.ZodType<LoggedMetric[]> = listOf(z.unknown()).transform((items, context) =>
  items.map((item, index) =>
    metricOf(item, (field, problem) => {
      const path = field === '' ? [index] : [index, field];
      context.addIssue({ code: 'custom', path, message: problem });
    }),
  ),
);

export const metricFields = {
  key: text,
  value: parsedBy<number>('a number', doubleOf),
  timestamp: int64,
  step: given(int64),
  model_id: given(text),
  dataset_name: given(text),
  dataset_digest: given(text),
};

function metricOf(item: unknown, fault: (field: string, problem: string) => void): LoggedMetric {
  const isObject = typeof item === 'object' && item !== null && !Array.isArray(item);
  if (!isObject) fault('', expected('an object', item));
  const { key, value, timestamp, step, model_id, dataset_name, dataset_digest } = (
    isObject ? item : {}
  ) as Record<string, unknown>;
  const double = typeof value === 'number' ? value : doubleOf(value);
  const timestampMs = int64Of(timestamp);
  const stepNumber = step === undefined || step === null ? 0 : int64Of(step);
  if (isObject) {
    if (typeof key !== 'string') fault('key', expected('a text', key));
    if (double === undefined) fault('value', expected('a number', value));
    if (timestampMs === undefined) fault('timestamp', expected('a 64-bit integer', timestamp));
    if (stepNumber === undefined) fault('step', expected('a 64-bit integer', step));
    for (const [name, given] of Object.entries({ model_id, dataset_name, dataset_digest })) {
      if (given !== undefined && given !== null && typeof given !== 'string')
        fault(name, expected('a text', given));
    }
  }
  const metric = {
    key: key as string,
    value: double ?? 0,
    timestampMs: timestampMs ?? 0,
    step: stepNumber ?? 0,
  };
  // Most metrics are of no model.
  if (!model_id && !dataset_name) return metric;
  return {
    ...metric,
    modelId: (model_id as string | null) || undefined,
    datasetName: (dataset_name as string | null) || undefined,
    datasetDigest: (dataset_digest as string | null) || undefined,
  };
}

export function expected(what: string, found: unknown): string {
  if (found === undefined) return `expected ${what}, found nothing`;
  const json = JSON.stringify(found);
  const shown = json.length > SHOWN_CHARACTERS ? `${json.slice(0, SHOWN_CHARACTERS)}...` : json;
  return `expected ${what}, found ${shown}`;
}

function parsedBy<T>(what: string, parse: (value: unknown) => T | undefined): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    const parsed = parse(value);
    if (parsed !== undefined) return parsed;
    context.addIssue({ code: 'custom', message: expected(what, value) });
    return z.NEVER;
  });
}

function doubleOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  return SPECIAL.includes(value) || NUMBER.test(value) ? Number(value) : undefined;
}

function int64Of(value: unknown): Int64 | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value + 0 : undefined;
  if (typeof value !== 'string' || !INTEGER.test(value)) return undefined;
  const number = Number(value);
  if (Number.isSafeInteger(number)) return number + 0;
  const integer = BigInt(value);
  return integer >= INT64_MIN && integer <= INT64_MAX ? integer : undefined;
}
