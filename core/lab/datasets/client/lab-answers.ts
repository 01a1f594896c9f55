import { z } from 'zod';

import { SluiceError } from '../../../contract';
import { CHUNK_HASH } from '../chunks/chunk-store';

/** Longest answer in JSON. */
export const MAX_JSON_BYTES = 16 * 2 ** 20;

export const versionSchema = z.object({
  number: z.int(),
  hash: z.string(),
  publicHash: z.string(),
  files: z.int(),
  bytes: z.int(),
  note: z.string(),
  createdMs: z.number(),
});
export const committedSchema = z.object({ version: versionSchema });
export const missingSchema = z.object({ missing: z.array(z.string().regex(CHUNK_HASH)) });

/** Path of a dataset on a lab. */
export function pathOf(name: string): string {
  return `/api/sluice/datasets/${encodeURIComponent(name)}`;
}

/** @throws SluiceError `unavailable` for what is no such answer: another version of Sluice, or something in between. */
export function parseAnswer<T>(schema: z.ZodType<T>, bytes: Buffer): T {
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new SluiceError('unavailable', "The lab's answer is not one that Sluice knows.", {}, { cause });
  }
}
