import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

import { WEIGHTS_FILE } from '../../layering';
import { alignUp, isDiskFault, ioError } from '../../storage';

export const MANIFEST_FILE = 'steps.json';
const FORMAT = 1;
const count = z.number().int().nonnegative();
const port = z.object({
  name: z.string(),
  dtype: z.string(),
  shape: z.array(z.number().int()).readonly(),
});

/** All that the bytes of a store depend on. Compared letter by letter. */
const identitySchema = z.object({
  /** Path, length and time of change of every file of the model. */
  files: z.array(z.object({ path: z.string(), bytes: count, changedMs: z.number() })),
  precision: z.string(),
  /** Of the graphs this build makes. */
  graphs: z.string(),
  runtime: z.string(),
  instructionSet: z.string(),
});
export type StoreIdentity = z.infer<typeof identitySchema>;

const stepSchema = z.object({
  name: z.string(),
  /** In the weights file, a multiple of 4096. Zeros follow up to the next one. */
  fileOffset: count,
  byteLength: count.min(1),
  /** `ChunkSum` over the bytes and the zeros, hexadecimal. */
  sum: z.string().regex(/^[0-9a-f]{1,16}$/),
  /** What a session takes that has its weights to itself, and one whose weights stay where they were read. */
  residentBytes: count,
  streamedBytes: count,
  inputs: z.array(port).readonly(),
  outputs: z.array(port).readonly(),
});
export type StoredStep = z.infer<typeof stepSchema>;

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  identity: identitySchema,
  /** first, between..., last, parts of the head. */
  steps: z.array(stepSchema).min(3),
  headParts: z.array(z.object({ first: count, count: count.min(1) })).min(1),
  /** Sessions were measured where the store was made; false: reckoned from their bytes. */
  isMeasured: z.boolean(),
});
type Manifest = z.infer<typeof manifestSchema>;

/** The steps of a decoder as they lie on disk, each an optimised graph with its weights in ONNX Runtime's own format. */
export interface StoredSteps extends Omit<Manifest, 'format'> {
  readonly folder: string;
}

export function manifestText(steps: Omit<Manifest, 'format'>): string {
  return JSON.stringify({ format: FORMAT, ...steps });
}

/** Bytes of a step with the zeros behind it. */
export function paddedBytes({ byteLength }: Pick<StoredStep, 'byteLength'>): number {
  return alignUp(byteLength);
}

/**
 * @returns undefined for a store that is not there, is damaged, or was made of something else or for something else: it
 * is to be made anew.
 * @throws SluiceError `io` when the disk fails.
 */
export function readStoredSteps(folder: string, identity: StoreIdentity): StoredSteps | undefined {
  try {
    const text = readFileSync(join(folder, MANIFEST_FILE), 'utf8');
    const { data } = manifestSchema.safeParse(JSON.parse(text));
    if (!data || JSON.stringify(data.identity) !== JSON.stringify(identity)) return undefined;
    const last = data.steps.at(-1)!;
    const { size } = statSync(join(folder, WEIGHTS_FILE));
    if (size !== last.fileOffset + paddedBytes(last)) return undefined;
    return { folder, ...data };
  } catch (cause) {
    if (isDiskFault(cause)) throw ioError(`Can't read ${folder}`, cause);
    return undefined;
  }
}
