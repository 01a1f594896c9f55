import { isAbsolute } from 'node:path';

import { z } from 'zod';

import { SluiceError } from '../../contract';

import type { JobSpec } from './job-engine';

// The system ends a text that it is given at the first NUL: a program would get another argument than was asked for.
const text = z.string().refine((value) => !value.includes('\0'), 'holds a NUL character');
const absolute = text.refine(isAbsolute, 'is not an absolute path');

/** A job as it is kept in a file or a table. */
export const jobSpecSchema = z.object({
  command: z.array(text).min(1),
  folder: absolute,
  environment: z.record(text.regex(/^[^=]+$/, 'is no name of a variable'), text),
  resources: z.object({
    cpus: z.number().positive(),
    gpus: z.int().min(0),
    memoryBytes: z.int().positive(),
  }),
  logFile: absolute,
  image: text.exactOptional(),
  preferredNodes: z.array(text).exactOptional(),
});

const KEY = /^[A-Za-z0-9-]{1,60}$/;

/** Looks at a job before anything is done with it. @throws SluiceError `bad-input`, with all its faults at once. */
export function checkJob(key: string, spec: JobSpec): void {
  const faults: string[] = [];
  if (!KEY.test(key)) faults.push(`the key "${key.slice(0, 80)}" is not 1 to 60 letters, digits and hyphens`);
  const parsed = jobSpecSchema.safeParse(spec);
  for (const { path, message } of parsed.error?.issues ?? []) faults.push(`${path.join('.')}: ${message}`);
  if (faults.length > 0) throw new SluiceError('bad-input', `Not a job: ${faults.join('; ')}.`, { key });
}
