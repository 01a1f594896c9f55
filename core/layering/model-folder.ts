import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { SluiceError } from '../contract';
import { ioError, removeIfEmpty, tryLock } from '../storage';
import { ENTRY_FILE, libraryEntry } from './library-entry';

export const LOCK_FILE = 'import.lock';
const ATTEMPTS = 5;

/**
 * Keeps other imports and removals out of a model's folder, which is made if need be.
 * @returns a function that gives the lock back. @throws SluiceError `conflict` when a living process holds it, `io`.
 */
export async function lockModelFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, LOCK_FILE);
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      await mkdir(folder, { recursive: true });
      const unlock = await tryLock(path);
      if (unlock) return unlock;
      break;
    } catch (error) {
      // Whoever used the folder last may just have removed it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError(`Can't write ${path}`, error);
    }
  }
  throw new SluiceError(
    'conflict',
    `${basename(folder)} is being imported already. Wait for it, or cancel it first.`,
    { path },
  );
}

/** Removes what killed imports left in a model's folder, unless an import is going on. @throws SluiceError `io`. */
export async function tidyModelFolder(folder: string): Promise<void> {
  // Without leftovers nothing is written, so that a library may be read-only.
  if (!existsSync(join(folder, LOCK_FILE)) && (await leftovers(folder)).length === 0) return;
  let unlock: () => Promise<void>;
  try {
    unlock = await lockModelFolder(folder);
  } catch (error) {
    if (error instanceof SluiceError && error.code === 'conflict') return;
    throw error;
  }
  await sweepModelFolder(folder).finally(unlock);
  await removeIfEmpty(folder);
}

/** Removes stores and sources that the entry doesn't name. Call with the folder's lock held. */
export async function sweepModelFolder(folder: string): Promise<void> {
  for (const path of await leftovers(folder)) await rm(path, { recursive: true, force: true });
}

/** What a killed import may have left under a name of its own; other files' writers may be at work. */
const UNFINISHED = new RegExp(`^(${ENTRY_FILE}|${LOCK_FILE})\\..*\\.tmp$`);

/** Stores and sources that the entry doesn't name, and files that were never renamed to their final name. */
async function leftovers(folder: string): Promise<string[]> {
  const entryPath = join(folder, ENTRY_FILE);
  let kept: readonly (string | undefined)[] = [];
  if (existsSync(entryPath)) {
    const parsed = libraryEntry.safeParse(parseJson(await readFile(entryPath, 'utf8')));
    // An unreadable entry may still belong to somebody's model: leave its folder alone.
    if (!parsed.success) return [];
    kept = [parsed.data.store, parsed.data.source];
  }
  return (await readdir(folder))
    .filter((item) => (/^(store|source)-/.test(item) && !kept.includes(item)) || UNFINISHED.test(item))
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
