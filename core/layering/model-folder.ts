import { existsSync } from 'node:fs';
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SluiceError } from '../contract';
import { ioError } from '../storage';
import { takeLock } from './folder-lock';
import { ENTRY_FILE, libraryEntry } from './library-entry';

export const LOCK_FILE = 'import.lock';

/** Removes what killed imports left in a model's folder, unless an import is going on. @throws SluiceError `io`. */
export async function tidyModelFolder(folder: string): Promise<void> {
  const lock = join(folder, LOCK_FILE);
  // Without leftovers nothing is written, so that a library may be read-only.
  if (!existsSync(lock) && (await leftovers(folder)).length === 0) return;
  let unlock: () => Promise<void>;
  try {
    unlock = await takeLock(lock, basename(folder));
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'conflict') return;
    throw ioError(`Can't tidy up ${folder}`, error);
  }
  await sweepModelFolder(folder).finally(unlock);
  await removeIfEmpty(folder);
}

/** Removes stores that the entry doesn't name. Call with the folder's lock held. */
export async function sweepModelFolder(folder: string): Promise<void> {
  for (const path of await leftovers(folder)) await rm(path, { recursive: true, force: true });
}

/** Call without the lock: it is a file of the folder. @throws SluiceError `io`. */
export async function removeIfEmpty(folder: string): Promise<void> {
  try {
    await rmdir(folder);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(code)) throw ioError(`Can't remove ${folder}`, error);
  }
}

/** Stores that the entry doesn't name, and files that were never renamed to their final name. */
async function leftovers(folder: string): Promise<string[]> {
  const entryPath = join(folder, ENTRY_FILE);
  let kept: string | undefined;
  if (existsSync(entryPath)) {
    const parsed = libraryEntry.safeParse(parseJson(await readFile(entryPath, 'utf8')));
    // An unreadable entry may still belong to somebody's model: leave its folder alone.
    if (!parsed.success) return [];
    kept = parsed.data.store;
  }
  return (await readdir(folder))
    .filter((item) => (item.startsWith('store-') && item !== kept) || item.endsWith('.tmp'))
    .map((item) => join(folder, item));
}

/** @returns undefined for text that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
