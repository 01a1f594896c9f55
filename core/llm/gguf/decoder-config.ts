import { CONFIG_LIMITS, checkedConfig, type DecoderConfig } from '../decoder/config';
import { unsupportedModel } from '../source/model-errors';
import { badGguf } from './gguf-cursor';
import type { GgufFile } from './read-gguf';

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

/**
 * @throws SluiceError `unsupported` (architecture, mixture of experts, sliding window, rope scaling: each named, with
 * what works), `bad-model` for numbers that are missing or contradict each other.
 */
export function decoderConfig(gguf: GgufFile): DecoderConfig {
  const { metadata, path: file, tensors } = gguf;
  const name = metadata.text('general.architecture');
  const architecture = ARCHITECTURES.get(name);
  if (!architecture) {
    throw unsupportedModel(
      gguf,
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
  const width = size('embedding_length', CONFIG_LIMITS.width);
  const heads = size('attention.head_count', CONFIG_LIMITS.width);
  const kvHeads = size('attention.head_count_kv', heads, heads);
  const headDim = size('attention.key_length', CONFIG_LIMITS.width, Math.floor(width / heads));
  if (size('attention.value_length', CONFIG_LIMITS.width, headDim) !== headDim) {
    throw unsupportedModel(gguf, 'values of another width than the keys can not be used');
  }
  const contextLength = size('context_length', CONFIG_LIMITS.contextLength);
  refuseSlidingWindow(gguf, key, contextLength);
  return checkedConfig(
    { path: file, kind: 'GGUF file' },
    {
      architecture: name,
      layers: size('block_count', CONFIG_LIMITS.layers),
      width,
      feedForwardWidth: size('feed_forward_length', CONFIG_LIMITS.width),
      heads,
      kvHeads,
      headDim,
      vocabularySize: vocabularySize(gguf),
      contextLength,
      rmsEpsilon: metadata.number(key('attention.layer_norm_rms_epsilon')),
      rope: {
        dim: size('rope.dimension_count', headDim, headDim),
        theta: metadata.optionalNumber(key('rope.freq_base')) ?? 10_000,
        scale: ropeScale(gguf, key),
        interleaved: architecture.interleavedRope,
      },
      attentionBias: tensors.has('blk.0.attn_q.bias'),
      queryKeyNorm: architecture.queryKeyNorm ?? false,
      tiedEmbeddings: !tensors.has('output.weight'),
    },
  );
}

function vocabularySize({ tensors, path: file }: GgufFile): number {
  const rows = tensors.get('token_embd.weight')?.dims[0];
  if (rows === undefined) throw badGguf(file, "expected a tensor 'token_embd.weight', found none");
  return rows;
}

function refuseOtherKinds(gguf: GgufFile, key: (rest: string) => string): void {
  if ((gguf.metadata.optionalCount(key('expert_count')) ?? 0) > 0) {
    throw unsupportedModel(gguf, 'mixtures of experts can not be run');
  }
}

function refuseSlidingWindow(gguf: GgufFile, key: (rest: string) => string, context: number): void {
  const window = gguf.metadata.optionalCount(key('attention.sliding_window')) ?? 0;
  if (window > 0 && window < context) {
    throw unsupportedModel(gguf, `attention to a sliding window of ${window} tokens can not be run`);
  }
}

function ropeScale(gguf: GgufFile, key: (rest: string) => string): number {
  const { metadata, path: file } = gguf;
  const type = metadata.optionalText(key('rope.scaling.type')) ?? 'none';
  if (type === 'none') return 1;
  if (type !== 'linear')
    throw unsupportedModel(gguf, `rope scaling '${type}' can't be used; none and linear can`);
  const factor = metadata.number(key('rope.scaling.factor'));
  if (factor > 0) return factor;
  throw badGguf(file, `metadata '${key('rope.scaling.factor')}': expected more than 0, found ${factor}`);
}
