import { SluiceError } from '../../contract';
import { badGguf } from '../gguf/gguf-cursor';
import type { GgufFile } from '../gguf/read-gguf';

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
}

interface Architecture {
  readonly interleavedRope: boolean;
  readonly queryKeyNorm?: boolean;
}
/** How files of an architecture order the rotated elements, after `llama_model_rope_type` of llama.cpp. */
const ARCHITECTURES: ReadonlyMap<string, Architecture> = new Map<string, Architecture>([
  ['llama', { interleavedRope: true }],
  ['mistral', { interleavedRope: true }],
  ['qwen2', { interleavedRope: false }],
  ['qwen3', { interleavedRope: false, queryKeyNorm: true }],
]);

/** Above any model in use; a crafted file must not ask for absurd tables. */
const MAX_LAYERS = 1024;
const MAX_WIDTH = 1 << 20;
const MAX_CONTEXT = 1 << 26;

/**
 * @throws SluiceError `unsupported` (architecture, mixture of experts, sliding window, rope scaling: each named, with
 * what works), `bad-model` for numbers that are missing or contradict each other.
 */
export function decoderConfig(gguf: GgufFile): DecoderConfig {
  const { metadata, path: file, tensors } = gguf;
  const name = metadata.text('general.architecture');
  const architecture = ARCHITECTURES.get(name);
  if (!architecture) {
    throw unsupported(
      file,
      `the architecture '${name}' can't be run; ${[...ARCHITECTURES.keys()].join(', ')} can`,
    );
  }
  const key = (rest: string): string => `${name}.${rest}`;
  const size = (rest: string, max: number, fallback?: number): number => {
    const value = metadata.optionalCount(key(rest)) ?? fallback ?? metadata.count(key(rest));
    if (value >= 1 && value <= max) return value;
    throw badGguf(file, `metadata '${key(rest)}': expected 1 to ${max}, found ${value}`);
  };
  refuseOtherKinds(gguf, key);
  const width = size('embedding_length', MAX_WIDTH);
  const heads = size('attention.head_count', MAX_WIDTH);
  const kvHeads = size('attention.head_count_kv', heads, heads);
  const headDim = size('attention.key_length', MAX_WIDTH, Math.floor(width / heads));
  if (size('attention.value_length', MAX_WIDTH, headDim) !== headDim) {
    throw unsupported(file, 'values of another width than the keys can not be used');
  }
  if (heads % kvHeads !== 0) {
    throw badGguf(
      file,
      `expected attention heads to be a multiple of the ${kvHeads} key heads, found ${heads}`,
    );
  }
  const contextLength = size('context_length', MAX_CONTEXT);
  refuseSlidingWindow(gguf, key, contextLength);
  const ropeDim = size('rope.dimension_count', headDim, headDim);
  if (ropeDim % 2 !== 0)
    throw badGguf(
      file,
      `metadata '${key('rope.dimension_count')}': expected an even number, found ${ropeDim}`,
    );
  return {
    architecture: name,
    layers: size('block_count', MAX_LAYERS),
    width,
    feedForwardWidth: size('feed_forward_length', MAX_WIDTH),
    heads,
    kvHeads,
    headDim,
    vocabularySize: vocabularySize(gguf),
    contextLength,
    rmsEpsilon: metadata.number(key('attention.layer_norm_rms_epsilon')),
    rope: {
      dim: ropeDim,
      theta: metadata.optionalNumber(key('rope.freq_base')) ?? 10_000,
      scale: ropeScale(gguf, key),
      interleaved: architecture.interleavedRope,
    },
    attentionBias: tensors.has('blk.0.attn_q.bias'),
    queryKeyNorm: architecture.queryKeyNorm ?? false,
    tiedEmbeddings: !tensors.has('output.weight'),
  };
}

function vocabularySize({ tensors, path: file }: GgufFile): number {
  const rows = tensors.get('token_embd.weight')?.dims[0];
  if (rows === undefined) throw badGguf(file, "expected a tensor 'token_embd.weight', found none");
  return rows;
}

function refuseOtherKinds({ metadata, path: file }: GgufFile, key: (rest: string) => string): void {
  if ((metadata.optionalCount(key('expert_count')) ?? 0) > 0) {
    throw unsupported(file, 'mixtures of experts can not be run');
  }
}

function refuseSlidingWindow(
  { metadata, path: file }: GgufFile,
  key: (rest: string) => string,
  context: number,
): void {
  const window = metadata.optionalCount(key('attention.sliding_window')) ?? 0;
  if (window > 0 && window < context) {
    throw unsupported(file, `attention to a sliding window of ${window} tokens can not be run`);
  }
}

function ropeScale({ metadata, path: file }: GgufFile, key: (rest: string) => string): number {
  const type = metadata.optionalText(key('rope.scaling.type')) ?? 'none';
  if (type === 'none') return 1;
  if (type !== 'linear') throw unsupported(file, `rope scaling '${type}' can't be used; none and linear can`);
  const factor = metadata.number(key('rope.scaling.factor'));
  if (factor > 0) return factor;
  throw badGguf(file, `metadata '${key('rope.scaling.factor')}': expected more than 0, found ${factor}`);
}

function unsupported(file: string, problem: string): SluiceError {
  return new SluiceError('unsupported', `${file}: ${problem}.`, { file });
}
