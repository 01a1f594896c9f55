import { isDeepStrictEqual } from 'node:util';

import { z } from 'zod';

const MAX_SEED = 0xffff_ffff;
/** OpenAI takes 4. */
const MAX_STOPS = 16;

/** What OpenAI's API calls faults of a request, where it has a name for them. */
export type RequestFault = 'unsupported_parameter' | 'unsupported_value' | 'unknown_parameter';

/** `null` is what many clients send for what they leave out. */
export function optional<T extends z.ZodType>(schema: T): z.ZodType<z.output<T> | undefined> {
  return schema.nullish().transform((value) => value ?? undefined);
}

export function withDefault<T extends z.ZodType>(
  schema: T,
  value: z.output<T>,
): z.ZodType<NonNullable<z.output<T>>> {
  return schema.nullish().transform((given) => given ?? value) as z.ZodType<NonNullable<z.output<T>>>;
}

/**
 * A parameter that is not supported: passing it over would answer another question, so that it may only have values
 * that ask for nothing.
 */
export function unsupportedBut(...harmless: readonly unknown[]): z.ZodType {
  const isHarmless = (value: unknown): boolean =>
    value === undefined ||
    value === null ||
    harmless.some((each) => each === value || isDeepStrictEqual(each, value));
  const values = harmless.map((value) => JSON.stringify(value)).join(' or ');
  return z
    .unknown()
    .refine(isHarmless, {
      error: `is not supported; leave it out${values === '' ? '' : `, or send ${values}`}`,
      params: { fault: 'unsupported_parameter' satisfies RequestFault },
    })
    .optional();
}

/** A parameter that says nothing about the text: who asks, how to bill, what to cache. */
const aside = z.unknown().optional();

/** An array whose length is looked at before its items: millions of them must not make millions of faults. */
export function shortArray<T extends z.ZodType>(item: T, longest: number): z.ZodType<z.output<T>[]> {
  return z.array(z.unknown()).max(longest, `expected at most ${longest}`).pipe(z.array(item));
}

const stop = withDefault(
  z.union([z.string().min(1), shortArray(z.string().min(1), MAX_STOPS)], {
    error: `expected a text or an array of at most ${MAX_STOPS} texts, none of them empty`,
  }),
  [],
).transform((value): readonly string[] => (typeof value === 'string' ? [value] : value));

/** Of both kinds of completion. Defaults are OpenAI's. */
export const sharedParameters = {
  model: z.string().min(1, 'expected the name of a model'),
  temperature: withDefault(z.number().min(0).max(2), 1),
  top_p: withDefault(z.number().gt(0).max(1), 1),
  /** Not OpenAI's: only tokens at least this probable relative to the best one. */
  min_p: withDefault(z.number().min(0).max(1), 0),
  seed: optional(z.int().min(0).max(MAX_SEED)),
  stop,
  max_tokens: optional(z.int().min(1)),
  stream: withDefault(z.boolean(), false),
  stream_options: optional(
    z.strictObject({
      include_usage: withDefault(z.boolean(), false),
      include_obfuscation: unsupportedBut(false),
    }),
  ),
  n: unsupportedBut(1),
  frequency_penalty: unsupportedBut(0),
  presence_penalty: unsupportedBut(0),
  logit_bias: unsupportedBut({}),
  user: aside,
};

/** Of chat completions alone. */
export const chatParameters = {
  max_completion_tokens: optional(z.int().min(1)),
  logprobs: unsupportedBut(false),
  top_logprobs: unsupportedBut(),
  tools: unsupportedBut([]),
  tool_choice: unsupportedBut('none', 'auto'),
  functions: unsupportedBut([]),
  function_call: unsupportedBut('none', 'auto'),
  response_format: unsupportedBut({ type: 'text' }),
  modalities: unsupportedBut(['text']),
  audio: unsupportedBut(),
  moderation: unsupportedBut(),
  prediction: unsupportedBut(),
  reasoning_effort: unsupportedBut('none'),
  verbosity: unsupportedBut('medium'),
  web_search_options: unsupportedBut(),
  store: unsupportedBut(false),
  parallel_tool_calls: aside,
  metadata: aside,
  prompt_cache_key: aside,
  prompt_cache_options: aside,
  prompt_cache_retention: aside,
  safety_identifier: aside,
  service_tier: aside,
};

/** Of plain completions alone. */
export const textParameters = {
  best_of: unsupportedBut(1),
  echo: unsupportedBut(false),
  logprobs: unsupportedBut(),
  suffix: unsupportedBut(''),
};
