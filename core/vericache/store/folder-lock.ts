import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../../contract';
import { ioError, tryLock } from '../../storage';

const LOCK_FILE = 'lock';

/**
 * Takes the folder's lock, and removes what a process that was killed had not finished writing.
 * @throws SluiceError `conflict` when a living process has it, `io`.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_FILE);
  const unlock = await tryLock(path).catch((cause: unknown) => {
    throw ioError(`Can't lock ${path}`, cause);
  });
  if (unlock) {
    await removeUnfinished(folder).catch(async (cause: unknown) => {
      await unlock();
      throw ioError(`Can't clear ${folder}`, cause);
    });
    return unlock;
  }
  throw new SluiceError(
    'conflict',
    `${folder} is in use, here or in another window or process. Close the conversation there and try again.`,
    { path },
  );
}

async function removeUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    // Those of the lock itself may be another process's that is asking for it.
    const isLeft = name.endsWith('.tmp') && !name.startsWith(LOCK_FILE);
    if (isLeft) await rm(join(folder, name), { force: true });
  }
}
