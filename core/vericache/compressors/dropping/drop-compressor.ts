import type { Compressor } from '../../compressor';
import { DroppingCache, droppingCacheBytes, type TokenScore } from './dropping-cache';
import { RECENT_TOKENS } from './kept-tokens';
import { evenCapacities, type BudgetOptions } from './row-budget';

export interface DropScheme extends Pick<Compressor, 'name' | 'title' | 'source' | 'observes'> {
  readonly score: TokenScore;
  /** How many of the last tokens stay whatever their scores, of so many that are kept. Default 32. */
  readonly recentTokens?: (kept: number) => number;
  /** Rows of each layer. Default: the same for all. */
  readonly capacities?: (options: BudgetOptions) => number[];
}

/** A compressor that keeps, of every key head, the first tokens, the last, and those with the greatest scores. */
export function dropCompressor(scheme: DropScheme): Compressor {
  const { name, title, source, observes, score } = scheme;
  const recentTokens = scheme.recentTokens ?? (() => RECENT_TOKENS);
  const capacities = scheme.capacities ?? evenCapacities;
  return {
    name,
    title,
    source,
    observes,
    kind: 'drop',
    cacheBytes: (options) => droppingCacheBytes(options.shape, capacities(options)),
    createCache: (options) => new DroppingCache(options, capacities(options), { score, recentTokens }),
  };
}
