import { SluiceError } from '../../contract';
import type { Compressor } from '../compressor';
import { H2O } from './h2o';
import { INT8 } from './int8';
import { KEYDIFF } from './keydiff';
import { KIVI2, KIVI4 } from './kivi';
import { KNORM } from './knorm';
import { PYRAMIDKV } from './pyramidkv';
import { SNAPKV } from './snapkv';
import { STREAMING_LLM } from './streamingllm';

/** The compressors that come with Sluice: a file each, a line here. */
export const COMPRESSORS: readonly Compressor[] = [
  SNAPKV,
  PYRAMIDKV,
  H2O,
  KNORM,
  KEYDIFF,
  STREAMING_LLM,
  INT8,
  KIVI4,
  KIVI2,
];

const byName = new Map(COMPRESSORS.map((compressor) => [compressor.name, compressor]));

/** Every compressor, those registered from outside last. */
export function allCompressors(): readonly Compressor[] {
  return [...byName.values()];
}

/**
 * Adds a compressor of one's own, for this process.
 * @throws SluiceError `conflict` when the name is taken, `bad-input` for a name the command line can't take.
 */
export function registerCompressor(compressor: Compressor): void {
  const { name } = compressor;
  if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
    throw new SluiceError(
      'bad-input',
      `A compressor's name has small letters, digits and hyphens; found "${name}".`,
      { name },
    );
  }
  if (byName.has(name)) {
    throw new SluiceError(
      'conflict',
      `A compressor called "${name}" is there already. Give yours another name.`,
      {
        name,
      },
    );
  }
  byName.set(name, compressor);
}

/** @throws SluiceError `not-found`, naming the compressors there are. */
export function compressorNamed(name: string): Compressor {
  const compressor = byName.get(name);
  if (compressor) return compressor;
  const known = [...byName.keys()];
  throw new SluiceError('not-found', `No compressor is called "${name}"; there are ${known.join(', ')}.`, {
    name,
    known,
  });
}
