import { stat } from 'node:fs/promises';

import { inLargePages, type OrtEnvironment } from '../ort';
import { Decoder, type DecoderOptions } from './decoder/decoder';
import { checkWeights } from './decoder/check-weights';
import { ggufSource } from './gguf/gguf-source';
import { layerRowsBytes } from './decoder/kv-cache';
import { readGguf } from './gguf/read-gguf';
import { readModelFolder } from './huggingface/read-model-folder';
import type { ModelSource } from './source/model-source';
import { Tokenizer } from './tokenizer/tokenizer';
import type { Vocabulary } from './vocabulary';

/** A model and its tokenizer, ready to generate. */
export interface LanguageModel {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  /** For messages. */
  readonly file: string;
  /** Of its weights, as the file has them. */
  readonly weightBytes: number;
  /** Frees the decoder; the environment is its owner's. */
  readonly close: () => void;
}

/** What a model's file or folder holds. */
export interface LanguageModelFacts {
  readonly architecture: string;
  /** The type most of its bytes have, `Q4_1`, ... */
  readonly quantisation: string;
  readonly parameters: number;
  readonly weightBytes: number;
  readonly layers: number;
  /** Tokens. */
  readonly contextLength: number;
  /** Keys and values of a token in the full cache. */
  readonly cacheBytesPerToken: number;
  readonly vocabularySize: number;
  /** It came with a template for conversations. */
  readonly hasChatTemplate: boolean;
}

/**
 * Loads a model with its weights.
 * @param file a GGUF file, or a folder as transformers saves a model.
 * @param environment must outlive the model.
 * @throws SluiceError as `readGguf`, `readModelFolder`, the tokenizers and `Decoder.open`.
 */
export async function openLanguageModel(
  file: string,
  environment: OrtEnvironment,
  options: DecoderOptions = {},
): Promise<LanguageModel> {
  const source = await openSource(file, options);
  const tokenizer = new Tokenizer(source.tokenizer());
  const open = (): Promise<Decoder> => Decoder.open(source, environment, options);
  // Streamed weights come and go; a page of 2 MiB would keep what a few bytes in it need.
  const decoder = await (options.weights ? open() : inLargePages(open));
  const weightBytes = [...source.tensors.values()].reduce((sum, { byteLength }) => sum + byteLength, 0);
  return { decoder, tokenizer, file: source.path, weightBytes, close: () => decoder.close() };
}

/**
 * Reads the headers of a GGUF file or a model's folder and checks that architecture, tensors and tokenizer can be run.
 * @throws SluiceError as `readGguf`, `readModelFolder` and the tokenizers, `unsupported`, `bad-model`.
 */
export async function readLanguageModelFacts(
  file: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<LanguageModelFacts> {
  const source = await openSource(file, options);
  const { config } = source;
  checkWeights(source);
  const tokenizer = new Tokenizer(source.tokenizer());
  const bytesByType = new Map<string, number>();
  let parameters = 0;
  let weightBytes = 0;
  for (const { dims, type, byteLength } of source.tensors.values()) {
    parameters += dims.reduce((product, size) => product * size, 1);
    weightBytes += byteLength;
    bytesByType.set(type.name, (bytesByType.get(type.name) ?? 0) + byteLength);
  }
  const [[quantisation] = ['none']] = [...bytesByType].sort(([, a], [, b]) => b - a);
  return {
    architecture: config.architecture,
    quantisation,
    parameters,
    weightBytes,
    layers: config.layers,
    contextLength: config.contextLength,
    cacheBytesPerToken: config.layers * layerRowsBytes(config, 1),
    vocabularySize: config.vocabularySize,
    hasChatTemplate: tokenizer.chatTemplate !== undefined,
  };
}

export function vocabularyOf({ decoder, tokenizer, file }: LanguageModel): Vocabulary {
  return { file, size: decoder.config.vocabularySize, tokens: tokenizer.tokens };
}

/**
 * Reads what the tokens of a GGUF file or a model's folder mean, without its weights.
 * @throws SluiceError as `readGguf`, `readModelFolder` and the tokenizers.
 */
export async function readVocabulary(
  file: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Vocabulary> {
  const source = await openSource(file, options);
  const { tokens } = new Tokenizer(source.tokenizer());
  return { file: source.path, size: source.config.vocabularySize, tokens };
}

async function openSource(file: string, { signal }: { readonly signal?: AbortSignal }): Promise<ModelSource> {
  const options = signal ? { signal } : {};
  const stats = await stat(file).catch(() => undefined);
  return stats?.isDirectory() ? readModelFolder(file, options) : ggufSource(await readGguf(file, options));
}
