import { topIndices } from './top-indices';

/** The first tokens gather attention whatever they say (attention sinks, arXiv 2309.17453, section 3.1). */
export const SINK_TOKENS = 4;
/** The last ones, which the text goes on from; also SnapKV's window. */
export const RECENT_TOKENS = 32;

/**
 * Which tokens stay, ascending: the first `SINK_TOKENS`, the last `recent`, and from between those with the greatest
 * scores.
 * @param scores `[tokens]`.
 * @param keep how many stay, `SINK_TOKENS + recent` or more; all when it exceeds `tokens`.
 */
export function keptTokens(scores: Float32Array, keep: number, recent: number): Int32Array {
  const tokens = scores.length;
  if (keep >= tokens) return Int32Array.from({ length: tokens }, (_, token) => token);
  const kept = new Int32Array(keep);
  const chosen = topIndices(scores.subarray(SINK_TOKENS, tokens - recent), keep - SINK_TOKENS - recent);
  for (let token = 0; token < SINK_TOKENS; token += 1) kept[token] = token;
  for (const [at, token] of chosen.entries()) kept[SINK_TOKENS + at] = SINK_TOKENS + token;
  for (let back = 1; back <= recent; back += 1) kept[keep - back] = tokens - back;
  return kept;
}
