import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

import { ioError } from '../../storage';

/** Removes a file or a folder with all it holds; nothing happens when it is not there. @returns bytes freed. @throws SluiceError `io`. */
export async function removePath(path: string): Promise<number> {
  try {
    const bytes = await bytesAt(path);
    await rm(path, { recursive: true, force: true });
    return bytes;
  } catch (cause) {
    throw ioError(`Can't remove ${path}`, cause);
  }
}

/** The names in a folder; none when it is not there. @throws SluiceError `io`. */
export async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw ioError(`Can't list ${folder}`, cause);
  }
}

/** What goes away meanwhile takes no room. */
async function bytesAt(path: string): Promise<number> {
  try {
    const stats = await lstat(path);
    if (!stats.isDirectory()) return stats.size;
    const sizes = await Promise.all((await readdir(path)).map((name) => bytesAt(join(path, name))));
    return sizes.reduce((sum, bytes) => sum + bytes, 0);
  } catch (cause) {
    if (isMissing(cause)) return 0;
    throw cause;
  }
}

function isMissing(cause: unknown): boolean {
  return (cause as NodeJS.ErrnoException).code === 'ENOENT';
}
