import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../contract';
import { ioError, processFolder, removeIfEmpty, sweepProcessFolders, syncFolder } from '../storage';
import { LOCK_FILE, lockModelFolder } from './model-folder';

/**
 * Beside the models, not in a folder of its own elsewhere: a move must stay within one file system to be atomic. No
 * model can have the name.
 */
export const REMOVED_FOLDER = '.removed';

/** A model out of the library whose bytes are still on disk. */
export interface RemovedFolder {
  readonly name: string;
  /** Where its folder is now. */
  readonly path: string;
  /** Disk space it takes. */
  readonly bytes: number;
}

/**
 * Moves a model's folder aside in one step: killed at any moment, the model is in the library or out of it, whole.
 * @throws SluiceError `conflict` while it is being imported, `io`.
 */
export async function moveAside(modelsFolder: string, name: string): Promise<RemovedFolder> {
  const folder = join(modelsFolder, name);
  const own = processFolder(join(modelsFolder, REMOVED_FOLDER));
  const path = join(own, `${name}.${randomBytes(4).toString('hex')}`);
  const unlock = await lockModelFolder(folder);
  try {
    await mkdir(own, { recursive: true });
    await rename(folder, path);
  } catch (cause) {
    await unlock();
    throw ioError(`Can't remove ${folder}`, cause);
  }
  // The lock moved along. A lock at its old place is already that of the next import.
  await rm(join(path, LOCK_FILE), { force: true });
  await syncFolder(modelsFolder);
  return { name, path, bytes: await folderBytes(path) };
}

/** Makes the move undone. @throws SluiceError `conflict` when the name is taken again, `io`. */
export async function moveBack(modelsFolder: string, { name, path }: RemovedFolder): Promise<void> {
  const folder = join(modelsFolder, name);
  try {
    await rename(path, folder);
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    if (!['ENOTEMPTY', 'EEXIST'].includes(code))
      throw ioError(`Can't bring ${name} back from ${path}`, cause);
    throw new SluiceError('conflict', `There is a model '${name}' again. Remove that one first, then undo.`, {
      name,
    });
  }
  await syncFolder(modelsFolder);
  await tidy(modelsFolder);
}

/** Frees the disk space. @throws SluiceError `io`. */
export async function deleteAside(modelsFolder: string, { path }: RemovedFolder): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((cause: unknown) => {
    throw ioError(`Can't delete ${path}`, cause);
  });
  await tidy(modelsFolder);
}

/** Deletes what processes that have ended moved aside. @throws SluiceError `io`. */
export function sweepAside(modelsFolder: string): Promise<void> {
  return sweepProcessFolders(join(modelsFolder, REMOVED_FOLDER));
}

async function tidy(modelsFolder: string): Promise<void> {
  await removeIfEmpty(processFolder(join(modelsFolder, REMOVED_FOLDER)));
  await removeIfEmpty(join(modelsFolder, REMOVED_FOLDER));
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const item of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, item.name);
    bytes += item.isDirectory() ? await folderBytes(path) : (await lstat(path)).size;
  }
  return bytes;
}
