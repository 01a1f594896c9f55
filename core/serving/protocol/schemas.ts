import { z } from 'zod';

import { faultTexts, SluiceError } from '../../contract';
import { DATATYPES } from './datatype';

const parameters = z.record(z.string(), z.unknown());
const shape = z.array(z.number().int().nonnegative()).max(32);

/** The datatype stays text: whether it is one, and the model's, is told together with the other faults. */
const tensor = z.object({
  name: z.string(),
  datatype: z.string(),
  shape,
  parameters: parameters.optional(),
  data: z.unknown().optional(),
});

export type TensorEntry = z.infer<typeof tensor>;

export const inferRequestSchema = z.object({
  id: z.string().default(''),
  parameters: parameters.default({}),
  inputs: z.array(tensor),
  outputs: z.array(z.object({ name: z.string(), parameters: parameters.default({}) })).optional(),
});

export const inferResponseSchema = z.object({
  model_name: z.string(),
  model_version: z.string().default(''),
  id: z.string().default(''),
  outputs: z.array(tensor),
});

export const serverMetadataSchema = z.object({
  name: z.string(),
  version: z.string().default(''),
  extensions: z.array(z.string()).default([]),
});

const tensorMetadata = z.object({
  name: z.string(),
  datatype: z.enum(DATATYPES),
  shape: z.array(z.number().int()),
});

export const modelMetadataSchema = z.object({
  name: z.string(),
  versions: z.array(z.string()).default([]),
  platform: z.string().default(''),
  inputs: z.array(tensorMetadata),
  outputs: z.array(tensorMetadata),
});

export const repositoryIndexSchema = z.array(
  z.object({
    name: z.string(),
    version: z.string().default(''),
    state: z.string().default(''),
    reason: z.string().default(''),
  }),
);

export const repositoryIndexRequestSchema = z.object({ ready: z.boolean().default(false) });

/** What any JSON object is to a request whose members are all optional and unknown here. */
export const anyObjectSchema = z.record(z.string(), z.unknown());

/**
 * @param what names the message in the error, e.g. `The inference request`.
 * @throws SluiceError `bad-input` that lists every fault with its path.
 */
export function parseMessage<S extends z.ZodType>(what: string, schema: S, value: unknown): z.infer<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = faultTexts(parsed.error.issues, 'body');
  throw new SluiceError('bad-input', `${what} is malformed: ${faults.join('; ')}.`, { faults });
}
