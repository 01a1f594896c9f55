import { badModel, unsupportedModel, type NamedSource } from '../source/model-errors';

/** The shape of a Llama-like decoder. */
export interface DecoderConfig {
  /** `llama`, `qwen2`, ... as the file calls it; SmolLM and Mistral files say `llama`. */
  readonly architecture: string;
  readonly layers: number;
  /** Of the hidden state. */
  readonly width: number;
  readonly feedForwardWidth: number;
  readonly heads: number;
  /** Grouped-query attention: `heads / kvHeads` query heads share a key and value head. */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabularySize: number;
  /** Positions the model was made for. */
  readonly contextLength: number;
  readonly rmsEpsilon: number;
  readonly rope: RopeConfig;
  /** Biases on the query, key and value projections (Qwen2). */
  readonly attentionBias: boolean;
  /** RMSNorm on every query and key head (Qwen3). */
  readonly queryKeyNorm: boolean;
  /** The embedding matrix serves as head too. */
  readonly tiedEmbeddings: boolean;
}

export interface RopeConfig {
  /** Leading elements of a head that are rotated. */
  readonly dim: number;
  readonly theta: number;
  /** Positions are divided by it (linear scaling); 1 without. */
  readonly scale: number;
  /** Pairs of neighbours are rotated, else element i with i + dim / 2. */
  readonly interleaved: boolean;
  /** Divisors of the frequencies, one a pair (Llama 3), where the model says them by numbers and not by a tensor. */
  readonly factors?: Float32Array;
}

/** Above any model in use; a crafted file must not ask for absurd tables. */
export const CONFIG_LIMITS = { layers: 1024, width: 1 << 20, contextLength: 1 << 26 } as const;
/** A product over a longer axis is cut by ONNX Runtime where threads and rows suggest: rows lose their bits. */
const MAX_HEAD_DIM = 128;

/**
 * What every format has to keep to. @returns the same configuration.
 * @throws SluiceError `unsupported`, `bad-model` for numbers that contradict each other.
 */
export function checkedConfig(source: NamedSource, config: DecoderConfig): DecoderConfig {
  const { heads, kvHeads, headDim, rope } = config;
  if (heads % kvHeads !== 0) {
    throw badModel(
      source,
      `expected attention heads to be a multiple of the ${kvHeads} key heads, found ${heads}`,
    );
  }
  if (headDim > MAX_HEAD_DIM) {
    throw unsupportedModel(
      source,
      `attention heads are ${headDim} wide; up to ${MAX_HEAD_DIM} can be run with the same bits for every pass`,
    );
  }
  if (rope.dim > headDim || rope.dim % 2 !== 0) {
    throw badModel(
      source,
      `expected an even number of rotated elements, at most ${headDim}, found ${rope.dim}`,
    );
  }
  return config;
}
