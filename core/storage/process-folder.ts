import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from './atomic-file';
import { isProcessAlive, processMark } from './process-mark';

/** A folder below `root` that is this process's alone; `sweepProcessFolders` removes it once the process is gone. */
export function processFolder(root: string): string {
  return join(root, processMark());
}

/** Removes what processes that have ended left below `root`. @throws SluiceError `io`. */
export async function sweepProcessFolders(root: string): Promise<void> {
  for (const name of await namesIn(root)) {
    if (!isProcessAlive(name)) await rm(join(root, name), { recursive: true, force: true });
  }
  await removeIfEmpty(root);
}

/** Removes a folder that holds nothing; one that does, or is not there, is left as it is. @throws SluiceError `io`. */
export async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(code)) throw ioError(`Can't remove ${folder}`, error);
  }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw ioError(`Can't list ${folder}`, error);
  }
}
