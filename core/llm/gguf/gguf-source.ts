import type { ModelSource } from '../source/model-source';
import { tokenizerFromGguf } from '../tokenizer/gguf-tokenizer';
import { decoderConfig } from './decoder-config';
import type { GgufFile } from './read-gguf';

/** @throws SluiceError as `decoderConfig`. */
export function ggufSource(gguf: GgufFile): ModelSource {
  const { path } = gguf;
  return {
    path,
    kind: 'GGUF file',
    config: decoderConfig(gguf),
    tensors: new Map([...gguf.tensors].map(([name, tensor]) => [name, { ...tensor, file: path }])),
    tensorName: (name) => name,
    tokenizer: () => tokenizerFromGguf(gguf),
  };
}
