import { SluiceError } from '../../contract';

export interface SamplingOptions {
  /** Logits are divided by it; 0 takes the most probable token (greedy). */
  readonly temperature: number;
  /** Only the fewest tokens whose probabilities reach this sum, 0 to 1. Default 1: all. */
  readonly topP?: number;
  /** Only tokens at least this probable relative to the best one, 0 to 1. Default 0: all. */
  readonly minP?: number;
  /** The same seed gives the same text. 0 to 2^32 - 1. */
  readonly seed: number;
}

export const GREEDY: SamplingOptions = { temperature: 0, seed: 0 };
const MAX_SEED = 0xffff_ffff;
/** Of 2^32, odd. */
const GOLDEN_RATIO = 0x9e37_79b9;
const UNIFORMS = 2 ** 32;

/**
 * Picks tokens; both cuts apply to the probabilities after the temperature, as in transformers' and vLLM's order. A draw
 * is an exponential race (the Gumbel-max trick): token i of probability p arrives at time E / p, and the first wins. E
 * depends on the seed, the index of the draw and i alone. So a text depends on its seed and not on how its tokens
 * were come by, and a drafter that draws with the same seed mostly guesses the verifier's draws (Daliri et al. 2024,
 * arXiv 2408.07978).
 */
export class Sampler {
  /** @throws SluiceError `bad-input` naming every option out of its range. */
  constructor(private readonly options: SamplingOptions) {
    checkSampling(options);
  }

  /**
   * @param logits of one token, `[vocabulary]`.
   * @param index of the draw: the position of the token in the text.
   * @throws SluiceError `runtime` when the best is no number.
   */
  pick(logits: Float32Array, index: number): number {
    const best = argmax(logits);
    if (this.options.temperature === 0) return best;
    const weights = this.keptWeights(logits, logits[best]!);
    const draw = mix(mix(this.options.seed) ^ Math.imul(index, GOLDEN_RATIO));
    let winner = best;
    let first = Infinity;
    for (let token = 0; token < weights.length; token += 1) {
      if (weights[token] === 0) continue;
      const uniform = ((mix(draw ^ mix(token + 1)) >>> 0) + 0.5) / UNIFORMS;
      const arrival = -Math.log(uniform) / weights[token]!;
      if (arrival >= first) continue;
      first = arrival;
      winner = token;
    }
    return winner;
  }

  /** Probabilities of the tokens a draw may give, `[vocabulary]`. */
  probabilities(logits: Float32Array): Float64Array {
    const best = argmax(logits);
    const weights =
      this.options.temperature === 0
        ? new Float64Array(logits.length).fill(1, best, best + 1)
        : this.keptWeights(logits, logits[best]!);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  }

  /** Probabilities up to a common factor, 1 for the best token and 0 for those cut off. */
  private keptWeights(logits: Float32Array, bestLogit: number): Float64Array {
    const { temperature, topP = 1, minP = 0 } = this.options;
    const weights = new Float64Array(logits.length);
    let total = 0;
    for (let token = 0; token < logits.length; token += 1) {
      const weight = Math.exp((logits[token]! - bestLogit) / temperature);
      weights[token] = weight;
      total += weight;
    }
    const nucleus = topP < 1 ? nucleusOf(weights, total, topP) : undefined;
    for (let token = 0; token < weights.length; token += 1) {
      if (weights[token]! < minP || nucleus?.has(token) === false) weights[token] = 0;
    }
    return weights;
  }
}

/** Spreads 32 bits (Wellons 2018, `lowbias32` of hash-prospector). */
function mix(bits: number): number {
  let x = bits;
  x = Math.imul(x ^ (x >>> 16), 0x7feb_352d);
  x = Math.imul(x ^ (x >>> 15), 0x846c_a68b);
  return x ^ (x >>> 16);
}

/** The most probable tokens that together reach the share; of equals, the lower numbers. */
function nucleusOf(weights: Float64Array, total: number, share: number): ReadonlySet<number> {
  // Tokens below this share of the rest together can't hold the rest, so the nucleus has none of them: few are sorted.
  const least = ((1 - share) * total) / weights.length;
  const candidates: number[] = [];
  for (let token = 0; token < weights.length; token += 1) {
    if (weights[token]! >= least) candidates.push(token);
  }
  candidates.sort((a, b) => weights[b]! - weights[a]! || a - b);
  const kept = new Set<number>();
  let sum = 0;
  for (const token of candidates) {
    kept.add(token);
    sum += weights[token]!;
    if (sum >= share * total) break;
  }
  return kept;
}

/** The first of the greatest. */
function argmax(logits: Float32Array): number {
  let best = 0;
  for (let token = 1; token < logits.length; token += 1) {
    if (logits[token]! > logits[best]!) best = token;
  }
  if (Number.isFinite(logits[best])) return best;
  throw new SluiceError(
    'runtime',
    `The model gave ${logits[best]} as its best logit; its weights are damaged. Verify the model or get it again.`,
  );
}

function checkSampling({ temperature, topP = 1, minP = 0, seed }: SamplingOptions): void {
  const problems = [
    temperature >= 0 && temperature < Infinity ? '' : `temperature: expected 0 or more, found ${temperature}`,
    topP > 0 && topP <= 1 ? '' : `top-p: expected more than 0 and at most 1, found ${topP}`,
    minP >= 0 && minP <= 1 ? '' : `min-p: expected 0 to 1, found ${minP}`,
    Number.isInteger(seed) && seed >= 0 && seed <= MAX_SEED
      ? ''
      : `seed: expected a whole number from 0 to ${MAX_SEED}, found ${seed}`,
  ].filter((problem) => problem !== '');
  if (problems.length > 0) throw new SluiceError('bad-input', `${problems.join('; ')}.`);
}
