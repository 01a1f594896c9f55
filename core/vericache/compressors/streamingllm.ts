import { dropCompressor } from './dropping/drop-compressor';

/** The first tokens and the last ones, nothing between. */
export const STREAMING_LLM = dropCompressor({
  name: 'streamingllm',
  title: 'StreamingLLM',
  source: 'Xiao et al. 2023, Efficient Streaming Language Models with Attention Sinks, arXiv 2309.17453',
  observes: 'nothing',
  score: (_observation, _head, scores) => {
    for (let token = 0; token < scores.length; token += 1) scores[token] = token;
  },
});
