import type { RowRange, StoredMatrix, TensorReader, WeightReader } from '../source/tensor-reader';
import type { DecoderConfig } from './config';

/** Names of tensors that do not belong to a layer. */
export const EMBEDDING = 'token_embd.weight';
const HEAD = 'output.weight';
const HEAD_NORM = 'output_norm.weight';
const ROPE_FACTORS = 'rope_freqs.weight';

export interface AttentionWeights {
  readonly norm: Float32Array;
  /** Queries, keys, values. */
  readonly projections: readonly StoredMatrix[];
  /** Beside each projection (Qwen2), or none. */
  readonly biases: readonly Float32Array[];
  /** For queries and keys (Qwen3), or none. */
  readonly headNorms: readonly Float32Array[];
}

export interface FeedForwardWeights {
  /** Of attention, `[width, heads * headDim]`. */
  readonly attentionOutput: StoredMatrix;
  readonly norm: Float32Array;
  /** Gate and up. */
  readonly projections: readonly StoredMatrix[];
  readonly down: StoredMatrix;
}

export interface HeadWeights {
  readonly norm: Float32Array;
  readonly projection: StoredMatrix;
}

export function attentionWeights(
  reader: WeightReader,
  config: DecoderConfig,
  layer: number,
): AttentionWeights {
  const { width, headDim } = config;
  const at = (part: string): string => `blk.${layer}.${part}`;
  const parts = projectionSizes(config);
  return {
    norm: reader.vector(at('attn_norm.weight'), width),
    projections: parts.map(([part, rows]) => reader.matrix(at(`${part}.weight`), rows, width)),
    biases: config.attentionBias ? parts.map(([part, rows]) => reader.vector(at(`${part}.bias`), rows)) : [],
    headNorms: config.queryKeyNorm
      ? ['attn_q_norm', 'attn_k_norm'].map((part) => reader.vector(at(`${part}.weight`), headDim))
      : [],
  };
}

export function feedForwardWeights(
  reader: WeightReader,
  config: DecoderConfig,
  layer: number,
): FeedForwardWeights {
  const { width, feedForwardWidth, heads, headDim } = config;
  const at = (part: string): string => `blk.${layer}.${part}.weight`;
  return {
    attentionOutput: reader.matrix(at('attn_output'), width, heads * headDim),
    norm: reader.vector(at('ffn_norm'), width),
    projections: ['ffn_gate', 'ffn_up'].map((part) => reader.matrix(at(part), feedForwardWidth, width)),
    down: reader.matrix(at('ffn_down'), width, feedForwardWidth),
  };
}

export function headWeights(reader: WeightReader, config: DecoderConfig): HeadWeights {
  return {
    norm: reader.vector(HEAD_NORM, config.width),
    projection: reader.matrix(config.tiedEmbeddings ? EMBEDDING : HEAD, config.vocabularySize, config.width),
  };
}

/** The part of the head that gives some of the logits. */
export function headPartWeights(reader: TensorReader, config: DecoderConfig, rows: RowRange): HeadWeights {
  const { tiedEmbeddings, vocabularySize, width } = config;
  return {
    norm: reader.vector(HEAD_NORM, width),
    projection: reader.rows(tiedEmbeddings ? EMBEDDING : HEAD, rows, vocabularySize, width),
  };
}

/** Divisors of the rotary frequencies (Llama 3), if the model has some. */
export function ropeFactors(reader: WeightReader, config: DecoderConfig): Float32Array | undefined {
  if (config.rope.factors) return config.rope.factors;
  return reader.has(ROPE_FACTORS) ? reader.vector(ROPE_FACTORS, config.rope.dim / 2) : undefined;
}

function projectionSizes({ heads, kvHeads, headDim }: DecoderConfig): [part: string, rows: number][] {
  return [
    ['attn_q', heads * headDim],
    ['attn_k', kvHeads * headDim],
    ['attn_v', kvHeads * headDim],
  ];
}
