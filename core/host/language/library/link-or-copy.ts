import { createReadStream, createWriteStream } from 'node:fs';
import { link, open, stat } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

import { SluiceError } from '../../../contract';
import { ioError } from '../../../storage';

/** Why a file system does not link: other device, not allowed (another's file), not known, too many. */
const NOT_LINKED: readonly string[] = [
  'EXDEV',
  'EPERM',
  'EACCES',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
  'EMLINK',
];

export interface CopyOptions {
  /** Told how many more bytes were copied. */
  readonly onBytes: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Gives a file a second name, or copies it where that can't be.
 * @returns its size. @throws SluiceError `io`, `cancelled`; what there is of the copy then is the caller's to remove.
 */
export async function linkOrCopy(source: string, target: string, options: CopyOptions): Promise<number> {
  try {
    await link(source, target);
  } catch (cause) {
    if (!NOT_LINKED.includes((cause as NodeJS.ErrnoException).code ?? '')) {
      throw ioError(`Can't link ${source} to ${target}`, cause);
    }
    await copyFile(source, target, options);
  }
  return (await stat(target)).size;
}

/**
 * Copies a file to where there is none.
 * @param fd of the source, which is read and closed; absent: it is opened.
 * @returns its size. @throws as `linkOrCopy`.
 */
export async function copyFile(
  source: string,
  target: string,
  options: CopyOptions,
  fd?: number,
): Promise<number> {
  const { onBytes, signal } = options;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      onBytes(chunk.length);
      next(null, chunk);
    },
  });
  try {
    const bytes = createReadStream(source, fd === undefined ? {} : { fd });
    await pipeline(bytes, counted, createWriteStream(target, { flags: 'wx' }), {
      ...(signal && { signal }),
    });
    const file = await open(target, 'r+');
    await file.sync().finally(() => file.close());
  } catch (cause) {
    if (signal?.aborted)
      throw new SluiceError('cancelled', `Copying ${source} was cancelled.`, {}, { cause });
    throw ioError(`Can't copy ${source} to ${target}`, cause);
  }
  return (await stat(target)).size;
}
