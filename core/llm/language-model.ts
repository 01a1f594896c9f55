import type { OrtEnvironment } from '../ort';
import { Decoder, type DecoderOptions } from './decoder/decoder';
import { decoderConfig } from './decoder/config';
import { layerRowsBytes } from './decoder/kv-cache';
import { refuseUnknownTensors } from './decoder/layer-weights';
import { requireReadable } from './gguf/dequantise';
import { readGguf } from './gguf/read-gguf';
import { tokenizerFromGguf } from './tokenizer/gguf-tokenizer';
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
  /** Keys and values of a token in the full cache. */
  readonly cacheBytesPerToken: number;
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
  const gguf = await readGguf(file, options.signal ? { signal: options.signal } : {});
  const tokenizer = new Tokenizer(tokenizerFromGguf(gguf));
  const decoder = await Decoder.open(gguf, environment, options);
  return { decoder, tokenizer, file: gguf.path, close: () => decoder.close() };
}

/**
 * Reads the header of a GGUF file and checks that its architecture, types and tokenizer can be run; shapes of tensors
 * are checked when their weights are loaded.
 * @throws SluiceError as `readGguf` and `tokenizerFromGguf`, `unsupported`, `bad-model`.
 */
export async function readLanguageModelFacts(
  file: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<LanguageModelFacts> {
  const gguf = await readGguf(file, options);
  const config = decoderConfig(gguf);
  refuseUnknownTensors(gguf, config);
  const tokenizer = new Tokenizer(tokenizerFromGguf(gguf));
  const bytesByType = new Map<string, number>();
  let parameters = 0;
  let weightBytes = 0;
  for (const tensor of gguf.tensors.values()) {
    requireReadable(gguf.path, tensor);
    parameters += tensor.dims.reduce((product, size) => product * size, 1);
    weightBytes += tensor.byteLength;
    bytesByType.set(tensor.type.name, (bytesByType.get(tensor.type.name) ?? 0) + tensor.byteLength);
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
