import type { z } from 'zod';

import { faultTexts, SluiceError } from '../../contract';

/**
 * Reads outside input once; its faults are named, each with its path.
 * @param what as a person would call it: `The search`, `The competition`.
 * @throws SluiceError `bad-input`.
 */
export function parseInput<S extends z.ZodType>(what: string, schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = faultTexts(parsed.error.issues, 'the whole');
  throw new SluiceError('bad-input', `${what} can't be used as it is. ${faults.join('; ')}.`, { faults });
}
