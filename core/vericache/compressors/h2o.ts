import { dropCompressor } from './dropping/drop-compressor';
import { RECENT_TOKENS } from './dropping/kept-tokens';

/**
 * Half the kept tokens are the last ones, half those that got most attention from all queries so far. The paper evicts
 * one token at every step; this chooses anew at every compression, from all.
 */
export const H2O = dropCompressor({
  name: 'h2o',
  title: 'H2O (heavy hitters)',
  source:
    'Zhang et al. 2023, H2O: Heavy-Hitter Oracle for Efficient Generative Inference of Large Language Models, arXiv 2306.14048',
  observes: 'all',
  recentTokens: (kept) => Math.max(RECENT_TOKENS, Math.floor(kept / 2)),
  score: (observation, head, scores) => scores.set(observation.received(head)),
});
