import type { DecoderConfig } from '../decoder/config';
import type { GgmlType } from '../gguf/ggml-types';
import type { TokenizerSource } from '../tokenizer/tokenizer-source';
import type { NamedSource } from './model-errors';

/** A language model as it is stored, whatever the format: what its decoder and its tokenizer are made of. */
export interface ModelSource extends NamedSource {
  readonly config: DecoderConfig;
  /** By the names the decoder asks for, which are those of GGUF files. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** What its own format calls a tensor of the decoder; for messages. */
  readonly tensorName: (name: string) => string;
  /** @throws SluiceError `unsupported` (none, or of a kind that can't be used), `bad-model`. */
  readonly tokenizer: () => TokenizerSource;
}

/** The part of a model that weights are read from. */
export type TensorSource = Pick<ModelSource, 'path' | 'kind' | 'tensors' | 'tensorName'>;

/** Where a tensor stands and how it is stored. */
export interface StoredTensor {
  /** As its file calls it; for messages. */
  readonly name: string;
  /** Row-major, `[out, in]` for a projection. */
  readonly dims: readonly number[];
  readonly type: GgmlType;
  /** Absolute path. */
  readonly file: string;
  /** From the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}
