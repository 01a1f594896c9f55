import { z } from 'zod';

import { SluiceError } from '../../../contract';
import type { SearchAlgorithm, SearchProblem } from './algorithm';

/** @throws SluiceError `bad-input` for options that don't fit the problem. */
export type MakeAlgorithm = (problem: SearchProblem) => SearchAlgorithm;

export interface AlgorithmKind {
  readonly name: string;
  /** Of `{"name": ..., options}`. */
  readonly schema: z.ZodType<MakeAlgorithm>;
}

/** An algorithm for the registry: its name, its options besides, and how it is made of them. */
export function defineAlgorithm<S extends z.ZodRawShape>(
  name: string,
  options: S,
  make: (options: z.output<z.ZodObject<S>>, problem: SearchProblem) => SearchAlgorithm,
): AlgorithmKind {
  const named = z.looseObject({ name: z.literal(name) });
  const own = z.strictObject(options);
  const schema = named.transform(({ name: _, ...rest }, context): MakeAlgorithm => {
    const parsed = own.safeParse(rest);
    if (parsed.success) return (problem) => make(parsed.data, problem);
    for (const { path, message } of parsed.error.issues) {
      context.issues.push({ code: 'custom', path: [...path], message, input: rest });
    }
    return z.NEVER;
  });
  return { name, schema };
}

/** @throws SluiceError `bad-input` when an option is larger than what it is a part of. */
export function checkAtMost(option: string, value: number, limitName: string, limit: number): void {
  if (value <= limit) return;
  throw new SluiceError(
    'bad-input',
    `The search can't be used as it is. ${option}: expected at most ${limitName}, ${limit}, found ${value}.`,
    { option, value, limit },
  );
}
