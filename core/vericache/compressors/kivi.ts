import type { Compressor } from '../compressor';
import { requireRatio } from './quantising/fixed-ratio';
import { KiviCache, kiviCacheBytes } from './quantising/kivi-cache';

/**
 * Keys by channel in groups of tokens, values by token in groups of 32 channels, each with its middle and its step in
 * float16; 128 to 383 recent tokens in float32.
 */
function kivi(bits: number, fixedRatio: number): Compressor {
  const name = `kivi${bits}`;
  return {
    name,
    title: `KIVI, ${bits} bits`,
    source:
      'Liu et al. 2024, KIVI: A Tuning-Free Asymmetric 2bit Quantization for KV Cache, arXiv 2402.02750, section 3',
    kind: 'quantise',
    observes: 'nothing',
    fixedRatio,
    cacheBytes: (options) => {
      requireRatio(name, fixedRatio, options.ratio);
      return kiviCacheBytes(bits, options);
    },
    createCache: (options) => {
      requireRatio(name, fixedRatio, options.ratio);
      return new KiviCache(options, bits);
    },
  };
}

// Of what is packed, heads 64 wide: 4 bits and 32 more for 64 elements of keys, for 32 of values; 2 bits and 32 for 32.
export const KIVI4 = kivi(4, 6.74);
export const KIVI2 = kivi(2, 10.67);
