import { dropCompressor } from './dropping/drop-compressor';
import type { TokenScore } from './dropping/dropping-cache';
import { RECENT_TOKENS } from './dropping/kept-tokens';

/** Tokens over which attention is averaged, so that what stays is more than single words. */
const KERNEL = 5;

/**
 * Attention that the queries of the window pay to the tokens before it, averaged over each token and its neighbours:
 * an average pool of 5 with zeros beyond the ends, as in the paper's code and in kvpress. The window itself stays.
 */
export const windowAttention: TokenScore = (observation, head, scores) => {
  const received = observation.received(head);
  const before = Math.max(0, scores.length - RECENT_TOKENS);
  scores.fill(0, before);
  for (let token = 0; token < before; token += 1) {
    let sum = 0;
    const end = Math.min(before, token + (KERNEL + 1) / 2);
    for (let at = Math.max(0, token - (KERNEL - 1) / 2); at < end; at += 1) sum += received[at]!;
    scores[token] = sum / KERNEL;
  }
};

export const SNAPKV = dropCompressor({
  name: 'snapkv',
  title: 'SnapKV',
  source: 'Li et al. 2024, SnapKV: LLM Knows What You are Looking for Before Generation, arXiv 2404.14469',
  observes: 'window',
  score: windowAttention,
});
