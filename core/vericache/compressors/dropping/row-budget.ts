import { SluiceError } from '../../../contract';
import { CACHE_STEP_ROWS, wholeSteps } from '../../../llm';
import type { CompressedCacheOptions } from '../../compressor';
import { ROOM_TOKENS } from '../room';

/** Enough for the first tokens, the recent ones and some between. */
const LEAST_KEPT_TOKENS = 64;
const LEAST_STEPS = wholeSteps(ROOM_TOKENS + LEAST_KEPT_TOKENS) / CACHE_STEP_ROWS;

export type BudgetOptions = Pick<CompressedCacheOptions, 'layers' | 'maxTokens' | 'ratio'>;

/**
 * Rows that each layer gets, in whole steps: those that the ratio leaves of `maxTokens`. `ROOM_TOKENS` of them are for
 * tokens to come, the others keep what is compressed. A context so small that this leaves hardly any to keep gets the
 * least that works, 384 rows a layer: the ratio is then less than asked for, and below 384 tokens nothing is saved.
 * @throws SluiceError `bad-input` for a ratio that is no number above 1.
 */
export function evenCapacities({ layers, maxTokens, ratio }: BudgetOptions): number[] {
  if (!(ratio > 1) || !Number.isFinite(ratio)) {
    throw new SluiceError('bad-input', `Expected a compression ratio above 1, such as 4; found ${ratio}.`, {
      ratio,
    });
  }
  const steps = Math.max(LEAST_STEPS, Math.floor(maxTokens / ratio / CACHE_STEP_ROWS));
  return new Array<number>(layers).fill(steps * CACHE_STEP_ROWS);
}

/** How much steeper than flat the budgets of PyramidKV are: its paper's beta. */
const BETA = 20;

/**
 * The rows of `evenCapacities`, shared out so that what layers keep falls from the first to the last in an arithmetic
 * sequence (PyramidKV, arXiv 2406.02069, section 4.2): the last keeps 1 / beta of the average, the first what makes
 * the sum. No layer has use for more than `maxTokens`: where the first would keep more, the sequence is flatter.
 */
export function pyramidCapacities(options: BudgetOptions): number[] {
  const even = evenCapacities(options);
  const { layers, maxTokens } = options;
  const average = even[0]! - ROOM_TOKENS;
  const last = Math.max(average / BETA, LEAST_STEPS * CACHE_STEP_ROWS - ROOM_TOKENS);
  const first = layers === 1 ? average : Math.max(average, Math.min(2 * average - last, maxTokens));
  const fall = layers > 1 ? (2 * (first - average)) / (layers - 1) : 0;
  // Rounding the running sum keeps the total.
  let exact = 0;
  let given = 0;
  const steps = even.map((_, layer) => {
    exact += (first - layer * fall + ROOM_TOKENS) / CACHE_STEP_ROWS;
    const here = Math.round(exact) - given;
    given += here;
    return here;
  });
  return steps.sort((a, b) => b - a).map((count) => count * CACHE_STEP_ROWS);
}
