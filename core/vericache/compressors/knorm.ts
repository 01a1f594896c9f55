import { dropCompressor } from './dropping/drop-compressor';

/** Keys of a small L2 norm get much attention: score = -|k|. Rotation leaves the norm alone. */
export const KNORM = dropCompressor({
  name: 'knorm',
  title: 'KNorm',
  source:
    'Devoto et al. 2024, A Simple and Effective L2 Norm-Based Strategy for KV Cache Compression, arXiv 2406.11430',
  observes: 'nothing',
  score: (observation, head, scores) => {
    const keys = observation.keys(head);
    const width = keys.length / scores.length;
    for (let token = 0, at = 0; token < scores.length; token += 1) {
      let squares = 0;
      for (const end = at + width; at < end; at += 1) squares += keys[at]! * keys[at]!;
      scores[token] = -Math.sqrt(squares);
    }
  },
});
