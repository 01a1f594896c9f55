import type { Compressor } from '../compressor';
import { requireRatio } from './quantising/fixed-ratio';
import { Int8Cache, int8CacheBytes } from './quantising/int8-cache';

/** Heads 64 wide: 256 bytes of floats become 64 and a scale. */
const RATIO = 3.76;

/** 8 bits an element, a scale a token and head; keys divided by the largest of their channel first. */
export const INT8: Compressor = {
  name: 'int8',
  title: 'int8',
  source:
    'Vector-wise absmax quantisation: Dettmers et al. 2022, LLM.int8(), arXiv 2208.07339, section 2; scales of ' +
    'channels that move into the other factor: Xiao et al. 2022, SmoothQuant, arXiv 2211.10438, section 4',
  kind: 'quantise',
  observes: 'nothing',
  fixedRatio: RATIO,
  cacheBytes: (options) => {
    requireRatio('int8', RATIO, options.ratio);
    return int8CacheBytes(options);
  },
  createCache: (options) => {
    requireRatio('int8', RATIO, options.ratio);
    return new Int8Cache(options);
  },
};
