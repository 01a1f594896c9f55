import { dropCompressor } from './dropping/drop-compressor';
import { pyramidCapacities } from './dropping/row-budget';
import { windowAttention } from './snapkv';

/** SnapKV's scores; the first layers keep more tokens than the last. */
export const PYRAMIDKV = dropCompressor({
  name: 'pyramidkv',
  title: 'PyramidKV',
  source:
    'Cai et al. 2024, PyramidKV: Dynamic KV Cache Compression based on Pyramidal Information Funneling, arXiv 2406.02069',
  observes: 'window',
  score: windowAttention,
  capacities: pyramidCapacities,
});
