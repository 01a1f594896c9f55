import { dropCompressor } from './dropping/drop-compressor';

/** Keys that differ from the others stay: score = -cos(k, mean of k / |k|). */
export const KEYDIFF = dropCompressor({
  name: 'keydiff',
  title: 'KeyDiff',
  source:
    'Park et al. 2025, KeyDiff: Key Similarity-Based KV Cache Eviction for Long-Context LLM Inference, arXiv 2504.15364',
  observes: 'nothing',
  score: (observation, head, scores) => {
    const keys = observation.keys(head);
    const width = keys.length / scores.length;
    // Sum instead of mean: a cosine knows no length. For the same reason the anchor's own norm is left out.
    const anchor = new Float64Array(width);
    for (let token = 0; token < scores.length; token += 1) {
      const start = token * width;
      let squares = 0;
      for (let at = start; at < start + width; at += 1) squares += keys[at]! * keys[at]!;
      const inverse = squares > 0 ? 1 / Math.sqrt(squares) : 0;
      for (let at = 0; at < width; at += 1) anchor[at]! += keys[start + at]! * inverse;
      scores[token] = inverse;
    }
    for (let token = 0; token < scores.length; token += 1) {
      const start = token * width;
      let product = 0;
      for (let at = 0; at < width; at += 1) product += keys[start + at]! * anchor[at]!;
      scores[token] = -product * scores[token]!;
    }
  },
});
