import { z } from 'zod';

import { asha } from './asha';
import type { AlgorithmKind, MakeAlgorithm } from './define-algorithm';
import { hyperband } from './hyperband';
import { pbt } from './pbt';
import { random } from './random';

const ALGORITHMS: readonly AlgorithmKind[] = [random, hyperband, asha, pbt];

/** Names a search can be given. */
export const SEARCH_ALGORITHM_NAMES: readonly string[] = ALGORITHMS.map(({ name }) => name);

/** Of `{"name": "asha", "eta": 4, ...}`; a bare name takes all defaults. */
export const algorithmSchema = z.unknown().transform((raw, context): MakeAlgorithm => {
  const fault = (message: string, path: readonly PropertyKey[] = []): void => {
    context.issues.push({ code: 'custom', path: [...path], message, input: raw });
  };
  const named = z.looseObject({ name: z.string() }).safeParse(typeof raw === 'string' ? { name: raw } : raw);
  if (!named.success) {
    fault('expected the name of an algorithm, or an object with a name');
    return z.NEVER;
  }
  const kind = ALGORITHMS.find(({ name }) => name === named.data.name);
  if (!kind) {
    fault(`no algorithm is called "${named.data.name}"; there are ${SEARCH_ALGORITHM_NAMES.join(', ')}`, [
      'name',
    ]);
    return z.NEVER;
  }
  const parsed = kind.schema.safeParse(named.data);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) fault(message, path);
  return z.NEVER;
});
