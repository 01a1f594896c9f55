import { SluiceError } from '../../contract';

/** How messages call a model. */
export interface NamedSource {
  /** Absolute path of the file or folder. */
  readonly path: string;
  readonly kind: 'GGUF file' | 'model folder';
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
