import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { z } from 'zod';

import { isNewerStore, newerStore } from '../contract';
import { parseStored, writeFileAtomic } from '../storage';

/** Says which Sluice the data folder belongs to; its own version is that of the folder. */
const MARK_FILE = 'store-version.json';
/**
 * Of the layout of the data folder as a whole. It goes up with the version of any store in it that an older Sluice
 * would damage, which then refuses the whole folder.
 */
export const DATA_FOLDER_VERSION = 1;
/** Files of the folder itself that tell their versions in the way of `StateFile`, with the newest that is known. */
const STATE_FILES = {
  'settings.json': 1,
  'runs.json': 1,
  'offload.json': 1,
  'endpoints.json': 1,
  'deployments.json': 1,
  'published.json': 1,
  'fleet.json': 1,
  'fleet-pushes.json': 1,
} as const;

const mark = z.looseObject({ version: z.int().min(1) });

/**
 * Makes sure that this Sluice may work in a data folder, and marks a new one, or one from before there were marks.
 * @param appVersion of this Sluice. @throws SluiceError `unsupported` when a newer one wrote it: nothing is changed then.
 */
export async function openDataFolder(dataDir: string, appVersion: string): Promise<void> {
  refuseNewerDataFolder(dataDir);
  const path = join(dataDir, MARK_FILE);
  if (mark.safeParse(jsonIn(path)).success) return;
  const text = JSON.stringify({ version: DATA_FOLDER_VERSION, writtenBy: appVersion });
  // A folder that can't be written is told about by those who must write there.
  await writeFileAtomic(path, text).catch(() => undefined);
}

/** Looks, and writes nothing. @throws SluiceError `unsupported` when a newer Sluice wrote it. */
export function refuseNewerDataFolder(dataDir: string): void {
  const path = join(dataDir, MARK_FILE);
  const told = mark.safeParse(jsonIn(path));
  if (told.success && told.data.version > DATA_FOLDER_VERSION) {
    const what = 'the data folder';
    throw newerStore({ path, what, found: told.data.version, known: DATA_FOLDER_VERSION });
  }
  for (const [name, version] of Object.entries(STATE_FILES)) {
    const file = join(dataDir, name);
    try {
      parseStored({ what: name, version, schema: z.unknown() }, file, readFileSync(file, 'utf8'));
    } catch (thrown) {
      // What is missing or damaged is dealt with by those who use it.
      if (isNewerStore(thrown)) throw thrown;
    }
  }
}

function jsonIn(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
