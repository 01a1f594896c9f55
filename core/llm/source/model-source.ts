import { SluiceError } from '../../contract';
import type { DecoderConfig } from '../decoder/config';
import type { GgmlType } from '../gguf/ggml-types';
import type { TokenizerSource } from '../tokenizer/tokenizer-source';

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

/** How messages call a model. */
export interface NamedSource {
  /** Absolute path of the file or folder. */
  readonly path: string;
  readonly kind: 'GGUF file' | 'model folder';
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

/** The error for a model that is not what its format says it should be. */
export function badModel(
  { path, kind }: NamedSource,
  problem: string,
  details: Readonly<Record<string, string | number>> = {},
): SluiceError {
  return new SluiceError('bad-model', `${path} is not a usable ${kind}: ${problem}`, {
    file: path,
    ...details,
  });
}

/** The error for a sound model that this version can't run. @param problem a sentence without its full stop. */
export function unsupportedModel({ path }: Pick<NamedSource, 'path'>, problem: string): SluiceError {
  return new SluiceError('unsupported', `${path}: ${problem}.`, { file: path });
}
