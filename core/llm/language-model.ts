import type { OrtEnvironment } from '../ort';
import { Decoder, type DecoderOptions } from './decoder/decoder';
import { checkWeights } from './decoder/check-weights';
import { ggufSource } from './gguf/gguf-source';
import { readGguf } from './gguf/read-gguf';
import type { ModelSource } from './source/model-source';
import { Tokenizer } from './tokenizer/tokenizer';

/** A model and its tokenizer, ready to generate. */
export interface LanguageModel {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  /** For messages. */
  readonly file: string;
  /** Frees the decoder; the environment is its owner's. */
  readonly close: () => void;
}

/** What a GGUF file holds. */
export interface LanguageModelFacts {
  readonly architecture: string;
  /** The type most of its bytes have, `Q4_1`, ... */
  readonly quantisation: string;
  readonly parameters: number;
  readonly weightBytes: number;
  readonly layers: number;
  /** Tokens. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  /** It came with a template for conversations. */
  readonly hasChatTemplate: boolean;
}

/**
 * Loads a GGUF file with its weights.
 * @param environment must outlive the model.
 * @throws SluiceError as `readGguf`, `tokenizerFromGguf` and `Decoder.open`.
 */
export async function openLanguageModel(
  file: string,
  environment: OrtEnvironment,
  options: DecoderOptions = {},
): Promise<LanguageModel> {
  const source = await openSource(file, options);
  const tokenizer = new Tokenizer(source.tokenizer());
  const decoder = await Decoder.open(source, environment, options);
  return { decoder, tokenizer, file: source.path, close: () => decoder.close() };
}

/**
 * Reads the header of a GGUF file and checks that its architecture, tensors and tokenizer can be run.
 * @throws SluiceError as `readGguf` and `tokenizerFromGguf`, `unsupported`, `bad-model`.
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
    vocabularySize: config.vocabularySize,
    hasChatTemplate: tokenizer.chatTemplate !== undefined,
  };
}

async function openSource(file: string, { signal }: { readonly signal?: AbortSignal }): Promise<ModelSource> {
  return ggufSource(await readGguf(file, signal ? { signal } : {}));
}
