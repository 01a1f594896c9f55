import { median } from '../../base';
import type { ContextBench } from './context-bench';
import { fill, openCache } from './context-bench';
import type { Prompts } from './prompts';
import type { Side, SideName } from './rows';
import { runSide, settingsOf, type Bench } from './side-runner';

/** Prompts are so long, so that a fourth of it leaves most of the text out. */
const PROMPT_TOKENS = 768;
/** Between the beginnings of two prompts. */
const STRIDE_TOKENS = 257;

/** One side over all prompts, against plain decoding over the full cache in memory. */
export interface ExactnessRow {
  readonly side: SideName;
  readonly compressor: string;
  readonly prompts: number;
  readonly tokensPerPrompt: number;
  /** Tokens equal to those of plain decoding at the same place. */
  readonly exactMatchPct: number;
  /** Replies that part from it, and at which token: the first, and the middle one of those that do. */
  readonly divergedReplies: number;
  readonly firstDivergence: number | undefined;
  readonly medianDivergence: number | undefined;
}

/** Replies to many prompts, token for token. */
export async function benchExactness(
  bench: Bench,
  context: ContextBench,
  texts: Prompts,
  prompts: number,
): Promise<readonly ExactnessRow[]> {
  const { compressors, log } = context;
  const capacity = PROMPT_TOKENS + bench.tokens;
  const sides = compressors.flatMap((compressor): (Side & { readonly compressor: string })[] => [
    { side: 'vericache', compressor },
    { side: 'lossy', compressor },
  ]);
  const tallies = sides.map(() => ({ equal: 0, total: 0, diverged: [] as number[] }));
  const fullCache = await openCache(bench, context, capacity);
  try {
    for (let index = 0; index < prompts; index += 1) {
      const prompt = texts.of(index * STRIDE_TOKENS, PROMPT_TOKENS);
      await fullCache.truncate(0);
      await fill(bench, fullCache, prompt, capacity);
      const whole: Side = { side: 'full-memory' };
      const plain = await runSide(whole, bench, fullCache, prompt, settingsOf(whole, bench, capacity, 0));
      for (const [at, side] of sides.entries()) {
        const { tokens } = await runSide(
          side,
          bench,
          fullCache,
          prompt,
          settingsOf(side, bench, capacity, 0),
        );
        const tally = tallies[at]!;
        const parts = tokens.findIndex((token, place) => token !== plain.tokens[place]);
        if (parts >= 0) tally.diverged.push(parts);
        tally.equal += tokens.filter((token, place) => token === plain.tokens[place]).length;
        tally.total += tokens.length;
      }
      log(`prompt ${index + 1} of ${prompts}`);
    }
  } finally {
    await fullCache.close();
  }
  return sides.map(({ side, compressor }, at) => {
    const { equal, total, diverged } = tallies[at]!;
    return {
      side,
      compressor,
      prompts,
      tokensPerPrompt: bench.tokens,
      exactMatchPct: total === 0 ? 100 : Math.round((equal * 1e5) / total) / 1000,
      divergedReplies: diverged.length,
      firstDivergence: diverged.length > 0 ? Math.min(...diverged) : undefined,
      medianDivergence: diverged.length > 0 ? median(diverged) : undefined,
    };
  });
}
