import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';

import { SluiceError } from '../../contract';
import { ioError, sha256OfFile } from '../../storage';
import type { CommandContext } from '../commands/context';
import type { GenerateCommandOptions } from './generate-options';
import { LanguageLibrary } from './library/language-library';
import type { RemoteBeginning } from './vericache-cache';

/** The node of `--remote`. @throws SluiceError `not-found`, `io` (its token). */
export async function remoteNodeOf(
  {
    name,
    remote: url,
    remoteTokenFile,
    remoteModel = name,
  }: Pick<GenerateCommandOptions, 'remote' | 'remoteTokenFile' | 'remoteModel'> & { readonly name: string },
  signal: AbortSignal,
): Promise<Pick<RemoteBeginning, 'node' | 'model' | 'signal'> | undefined> {
  if (url === undefined) return undefined;
  const token = remoteTokenFile === undefined ? undefined : await tokenOf(remoteTokenFile);
  return { node: { url, ...(token !== undefined && { token }) }, model: remoteModel, signal };
}

/**
 * SHA-256 of a model's weights, by which nodes know that they compute the same.
 * @throws SluiceError `bad-input` for a folder outside the library, `io`, `cancelled`.
 */
export async function weightsOf(
  { dataDir, signal }: Pick<CommandContext, 'dataDir' | 'signal'>,
  name: string,
  file: string,
): Promise<string> {
  const library = new LanguageLibrary(dataDir);
  const entry = library.has(name) ? library.entry(name) : undefined;
  if (entry?.path === file) return entry.sha256;
  const facts = await stat(file).catch((cause: unknown) => {
    throw ioError(`Can't read ${file}`, cause);
  });
  if (facts.isFile()) {
    return sha256OfFile(file, { offset: 0, byteLength: facts.size }, () => undefined, signal);
  }
  throw new SluiceError(
    'bad-input',
    `--remote: import ${file} first ("sluice models import"), or give a file.`,
  );
}

async function tokenOf(file: string): Promise<string> {
  const text = await readFile(resolve(file), 'utf8').catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw ioError(`--remote-token-file: can't read ${file}`, cause);
    }
    throw new SluiceError('not-found', `--remote-token-file: there is no file ${file}.`, {}, { cause });
  });
  return text.trim();
}
