import { engineClockMs, median } from '../../base';
import type { DiskCache } from '../../vericache';
import type { ContextBench } from './context-bench';
import { fill, openCache } from './context-bench';
import { Progress } from './progress';
import type { Prompts } from './prompts';
import type { Side, SideName } from './rows';
import { equalTokens, runSide, settingsOf, type Bench } from './side-runner';

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
  /**
   * Of `prompts * tokensPerPrompt` tokens asked for. `vericache`: those equal to plain decoding's at the same place.
   * `lossy`: those before the first that is not, where the reply is ended: what comes behind it continues another text.
   */
  readonly exactMatchPct: number;
  /** Replies that part from it, and at which token: the first, and the middle one of those that do. */
  readonly divergedReplies: number;
  readonly firstDivergence: number | undefined;
  readonly medianDivergence: number | undefined;
}

type CompressedSide = Side & { readonly compressor: string };

/** Replies to many prompts, token for token. */
export async function benchExactness(
  bench: Bench,
  context: ContextBench,
  texts: Prompts,
  prompts: number,
): Promise<readonly ExactnessRow[]> {
  const capacity = PROMPT_TOKENS + bench.tokens;
  const tallies = context.compressors
    .flatMap((compressor): CompressedSide[] => [
      { side: 'vericache', compressor },
      { side: 'lossy', compressor },
    ])
    .map((side) => new Tally(side, bench.tokens));
  const fullCache = await openCache(bench, context, capacity);
  const progress = new Progress(prompts, context.log, engineClockMs);
  try {
    for (let index = 0; index < prompts; index += 1) {
      const prompt = texts.of(index * STRIDE_TOKENS, PROMPT_TOKENS);
      await fullCache.truncate(0);
      await fill(bench, fullCache, prompt, capacity);
      await compare(bench, fullCache, prompt, tallies);
      progress.step(`exactness: prompt ${index + 1}`);
    }
  } finally {
    await fullCache.close();
  }
  return tallies.map((tally) => tally.row());
}

async function compare(
  bench: Bench,
  fullCache: DiskCache,
  prompt: readonly number[],
  tallies: readonly Tally[],
): Promise<void> {
  const reply = async (side: Side, whileEqualTo?: readonly number[]): Promise<readonly number[]> => {
    const settings = settingsOf(side, bench, PROMPT_TOKENS + bench.tokens, 0);
    const request = { fullCache, storedText: fullCache.tokens, prompt, settings };
    return (await runSide(side, bench, { ...request, ...(whileEqualTo && { whileEqualTo }) })).tokens;
  };
  const plain = await reply({ side: 'full-memory' });
  for (const tally of tallies) {
    tally.add(await reply(tally.side, tally.side.side === 'lossy' ? plain : undefined), plain);
  }
}

/** Of one side. */
export class Tally {
  private prompts = 0;
  private equal = 0;
  private readonly divergedAt: number[] = [];

  constructor(
    readonly side: CompressedSide,
    private readonly tokensPerPrompt: number,
  ) {}

  /** @param tokens of a reply; they may end at the first that is not the plain one's. */
  add(tokens: readonly number[], plain: readonly number[]): void {
    this.prompts += 1;
    const same = equalTokens(tokens, plain);
    if (same < tokens.length) this.divergedAt.push(same);
    this.equal +=
      this.side.side === 'lossy' ? same : tokens.filter((token, place) => token === plain[place]).length;
  }

  row(): ExactnessRow {
    const { side, prompts, equal, divergedAt, tokensPerPrompt } = this;
    const isAny = divergedAt.length > 0;
    return {
      side: side.side,
      compressor: side.compressor,
      prompts,
      tokensPerPrompt,
      exactMatchPct: Math.floor((equal * 1e5) / Math.max(1, prompts * tokensPerPrompt)) / 1000,
      divergedReplies: divergedAt.length,
      firstDivergence: isAny ? Math.min(...divergedAt) : undefined,
      medianDivergence: isAny ? median(divergedAt) : undefined,
    };
  }
}
