import type { DecodedToken, Sampler } from '../llm';

export interface Verdict {
  /** What is given out: the drafted tokens that were accepted, and one of the full cache's own. */
  readonly tokens: readonly DecodedToken[];
  readonly accepted: number;
}

/**
 * What the full cache draws, up to the first token that was not drafted.
 * @param logits `[drafted + 1, vocabulary]`, of the token before the draft and of each drafted one.
 * @param position of the first drafted token in the text.
 */
export function judge(
  sampler: Sampler,
  logits: Float32Array,
  drafted: readonly number[],
  position: number,
): Verdict {
  const size = logits.length / (drafted.length + 1);
  const tokens: DecodedToken[] = [];
  for (let index = 0; ; index += 1) {
    const token = sampler.pick(logits.subarray(index * size, (index + 1) * size), position + index);
    if (index < drafted.length && token === drafted[index]) {
      tokens.push({ token, origin: 'accepted' });
      continue;
    }
    tokens.push({ token, origin: index === drafted.length ? 'bonus' : 'corrected' });
    return { tokens, accepted: index };
  }
}
