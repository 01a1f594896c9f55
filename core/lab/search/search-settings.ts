import { z } from 'zod';

import { parseInput } from '../store/parse-input';
import type { SearchAlgorithm } from './algorithms/algorithm';
import { algorithmSchema } from './algorithms/registry';
import {
  faultsOfGiven,
  parameterValueSchema,
  searchSpaceSchema,
  type SearchSpace,
} from './space/search-space';

export type Direction = 'max' | 'min';

export interface SearchPlan {
  readonly space: SearchSpace;
  readonly metric: { readonly name: string; readonly direction: Direction };
  /** Of all trials together, in the unit in which they report. */
  readonly budget: number;
  /** Trials in training at a time. */
  readonly parallel: number;
  /** The search gives up after so many failed trials with no report between them. */
  readonly maxFailures: number;
  /** Fresh; the same plan gives one that decides the same. */
  readonly algorithm: SearchAlgorithm;
}

const MOST_FIRST = 1000;

const settingsSchema = z
  .strictObject({
    space: searchSpaceSchema,
    metric: z.strictObject({ name: z.string().min(1).max(250), direction: z.enum(['max', 'min']) }),
    algorithm: algorithmSchema,
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(0),
    maxResource: z.number().positive().max(1e12),
    budget: z.number().positive().max(1e15),
    maxTrials: z.int().min(1).max(100_000).default(10_000),
    parallel: z.int().min(1).max(1000).default(1),
    maxFailures: z.int().min(1).max(1000).default(3),
    first: z.array(z.record(z.string(), parameterValueSchema)).max(MOST_FIRST).default([]),
  })
  .superRefine(({ space, first }, context) => {
    for (const [index, given] of first.entries()) {
      for (const message of faultsOfGiven(space, given)) {
        context.addIssue({ code: 'custom', path: ['first', index], message });
      }
    }
  });

/**
 * Reads a search: `{space, metric: {name, direction: "max"|"min"}, algorithm, seed, maxResource, budget, maxTrials,
 * parallel, maxFailures, first}`. `maxResource` is what one trial may use, `budget` what all may use together, in epochs,
 * steps or whatever the trials report. `first` are parameters of the first trials, as a baseline's; what one leaves out is
 * drawn.
 * @throws SluiceError `bad-input`, naming every fault with its path.
 */
export function parseSearch(settings: unknown): SearchPlan {
  const parsed = parseInput('The search', settingsSchema, settings);
  const { space, metric, budget, parallel, maxFailures, maxResource, maxTrials, seed, first } = parsed;
  const algorithm = parsed.algorithm({ space, maxResource, budget, maxTrials, parallel, seed, first });
  return { space, metric, budget, parallel, maxFailures, algorithm };
}
