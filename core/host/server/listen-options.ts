import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { SluiceError } from '../../contract';
import type { TlsFiles } from '../../serving';
import { ioError } from '../../storage';
import { onCancel } from '../commands/context';

/** Files named on the command line. */
export interface TlsOptions {
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** @throws SluiceError `not-found`, `io`; `bad-input` for an empty file. */
export async function tokenOf(path: string, option = '--token-file'): Promise<string> {
  const token = (await fileOf(option, path)).toString('utf8').trim();
  if (token !== '' && !/\s/.test(token)) return token;
  throw new SluiceError('bad-input', `${option} ${path}: expected one token without spaces in it.`, {
    path,
  });
}

/** @throws SluiceError `bad-input` for one without the other, `not-found`, `io`. */
export async function tlsOf({ tlsCert, tlsKey }: TlsOptions): Promise<TlsFiles | undefined> {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new SluiceError('bad-input', 'TLS needs both --tls-cert and --tls-key.');
  }
  return { cert: await fileOf('--tls-cert', tlsCert), key: await fileOf('--tls-key', tlsKey) };
}

/** @throws SluiceError `not-found`, `io`. */
function fileOf(option: string, path: string): Promise<Buffer> {
  return readFile(resolve(path)).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new SluiceError('not-found', `${option}: there is no file ${path}.`, { path }, { cause });
    }
    throw ioError(`${option}: can't read ${path}`, cause);
  });
}

/**
 * SIGINT by the context's signal, SIGTERM from a service manager.
 * @throws SluiceError `engine-down` when the engine died.
 */
export function ended(cancelled: AbortSignal, down: AbortSignal, command = 'sluice serve'): Promise<void> {
  return new Promise((done, reject) => {
    process.once('SIGTERM', done);
    onCancel(cancelled, done);
    onCancel(down, () => {
      const { message } = SluiceError.from(down.reason);
      reject(new SluiceError('engine-down', `The engine died: ${message} Start "${command}" again.`));
    });
  });
}
