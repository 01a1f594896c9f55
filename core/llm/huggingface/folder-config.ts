import { z } from 'zod';

import { CONFIG_LIMITS, checkedConfig, type DecoderConfig, type RopeConfig } from '../decoder/config';
import { badModel, unsupportedModel, type NamedSource } from '../source/model-errors';
import { readRopeScaling } from './rope-scaling';

interface Architecture {
  /** As GGUF files and the decoder call it. */
  readonly name: string;
  readonly queryKeyNorm?: boolean;
  /** Projections of queries, keys and values have biases, whatever the configuration says. */
  readonly attentionBias?: boolean;
  /** Heads are so wide where the configuration does not tell. */
  readonly headDim?: number;
  /** Whether `sliding_window` counts: always, or only with `use_sliding_window`. */
  readonly slidingWindow?: 'always' | 'if-used';
}
/** By the class that transformers has for it; defaults are those of its configuration classes. */
const ARCHITECTURES: ReadonlyMap<string, Architecture> = new Map<string, Architecture>([
  ['LlamaForCausalLM', { name: 'llama' }],
  ['MistralForCausalLM', { name: 'mistral', slidingWindow: 'always' }],
  ['Qwen2ForCausalLM', { name: 'qwen2', attentionBias: true, slidingWindow: 'if-used' }],
  ['Qwen3ForCausalLM', { name: 'qwen3', queryKeyNorm: true, headDim: 128, slidingWindow: 'if-used' }],
]);
const DEFAULT_THETA = 10_000;
const DEFAULT_EPSILON = 1e-6;

const upTo = (max: number): z.ZodNumber => z.int().min(1).max(max);
const flag = z.boolean().nullish();
const configSchema = z.looseObject({
  hidden_size: upTo(CONFIG_LIMITS.width),
  intermediate_size: upTo(CONFIG_LIMITS.width),
  num_hidden_layers: upTo(CONFIG_LIMITS.layers),
  num_attention_heads: upTo(CONFIG_LIMITS.width),
  num_key_value_heads: upTo(CONFIG_LIMITS.width).nullish(),
  head_dim: upTo(CONFIG_LIMITS.width).nullish(),
  vocab_size: upTo(CONFIG_LIMITS.width * 16),
  max_position_embeddings: upTo(CONFIG_LIMITS.contextLength),
  rms_norm_eps: z.number().positive().default(DEFAULT_EPSILON),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: z.unknown().optional(),
  rope_parameters: z.unknown().optional(),
  partial_rotary_factor: z.number().nullish(),
  hidden_act: z.string().default('silu'),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: flag,
  use_sliding_window: flag,
  sliding_window: z.int().positive().nullish(),
  num_experts: z.int().nullish(),
  num_local_experts: z.int().nullish(),
  quantization_config: z.looseObject({ quant_method: z.string().optional() }).nullish(),
});
type FolderConfig = z.infer<typeof configSchema>;
const namedSchema = z.looseObject({ architectures: z.array(z.string()).min(1) });

/**
 * The decoder that a config.json describes.
 * @param json of the file.
 * @throws SluiceError `unsupported` (architecture, quantisation, rope scaling, sliding window, ...: each named, with
 * what works), `bad-model` naming every field that is wrong.
 */
export function decoderConfigOfFolder(source: NamedSource, json: unknown): DecoderConfig {
  const architecture = architectureOf(source, json);
  const parsed = configSchema.safeParse(json);
  if (!parsed.success) throw badModel(source, faultsOf(parsed.error));
  const config = parsed.data;
  refuseOtherKinds(source, architecture, config);
  const heads = config.num_attention_heads;
  const headDim = config.head_dim ?? architecture.headDim ?? config.hidden_size / heads;
  if (!Number.isInteger(headDim)) {
    const problem = `config.json: expected hidden_size ${config.hidden_size} to be a multiple of ${heads} heads`;
    throw badModel(source, problem);
  }
  return checkedConfig(source, {
    architecture: architecture.name,
    layers: config.num_hidden_layers,
    width: config.hidden_size,
    feedForwardWidth: config.intermediate_size,
    heads,
    kvHeads: config.num_key_value_heads ?? heads,
    headDim,
    vocabularySize: config.vocab_size,
    contextLength: config.max_position_embeddings,
    rmsEpsilon: config.rms_norm_eps,
    rope: ropeOf(source, config, headDim),
    attentionBias: architecture.attentionBias ?? config.attention_bias ?? false,
    queryKeyNorm: architecture.queryKeyNorm ?? false,
    tiedEmbeddings: config.tie_word_embeddings,
  });
}

function architectureOf(source: NamedSource, json: unknown): Architecture {
  const named = namedSchema.safeParse(json);
  if (!named.success) throw badModel(source, faultsOf(named.error));
  const names = named.data.architectures;
  const found = names.length === 1 ? ARCHITECTURES.get(names[0]!) : undefined;
  if (found) return found;
  throw unsupportedModel(
    source,
    `the architecture '${names.join(', ')}' can't be run; ${[...ARCHITECTURES.keys()].join(', ')} can`,
  );
}

function refuseOtherKinds(source: NamedSource, architecture: Architecture, config: FolderConfig): void {
  const refuse = (problem: string): never => {
    throw unsupportedModel(source, problem);
  };
  const quantisation = config.quantization_config;
  if (quantisation) {
    const method = quantisation.quant_method ?? 'unknown';
    refuse(`weights quantised by '${method}' can't be read; F32, F16 and BF16 can, and quantised GGUF files`);
  }
  if ((config.num_experts ?? 0) > 0 || (config.num_local_experts ?? 0) > 0) {
    refuse('mixtures of experts can not be run');
  }
  if (config.hidden_act !== 'silu') refuse(`the activation '${config.hidden_act}' can't be used; silu can`);
  if ((config.partial_rotary_factor ?? 1) !== 1) refuse('heads that are rotated in part can not be run');
  const { slidingWindow } = architecture;
  const isUsed = slidingWindow === 'always' || (slidingWindow === 'if-used' && config.use_sliding_window);
  const window = config.sliding_window ?? config.max_position_embeddings;
  if (isUsed && window < config.max_position_embeddings) {
    refuse(`attention to a sliding window of ${window} tokens can not be run`);
  }
}

/** Elements are paired by halves in every architecture of transformers; only GGUF's llama files have neighbours. */
function ropeOf(source: NamedSource, config: FolderConfig, headDim: number): RopeConfig {
  const parameters = config.rope_parameters ?? config.rope_scaling;
  const inParameters = z.looseObject({ rope_theta: z.number().positive().nullish() }).safeParse(parameters);
  const theta = inParameters.data?.rope_theta ?? config.rope_theta ?? DEFAULT_THETA;
  const scaling = readRopeScaling(parameters, headDim, theta);
  if ('problem' in scaling) {
    const fail = scaling.code === 'unsupported' ? unsupportedModel : badModel;
    throw fail(source, scaling.problem);
  }
  return { dim: headDim, theta, interleaved: false, ...scaling };
}

function faultsOf(error: z.ZodError): string {
  const faults = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return `config.json: ${faults.slice(0, 8).join('; ')}`;
}
