import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { processFolder, removeIfEmpty, sweepProcessFolders } from '../storage';

/** Of all processes on a data folder. */
function uploadsRoot(dataDir: string): string {
  return join(dataDir, 'uploads');
}

/** Where files that a browser sent to this process wait for their import, each in a folder of its own. */
export function uploadFolder(dataDir: string): string {
  return processFolder(uploadsRoot(dataDir));
}

/** Removes a file or folder after its import if it was uploaded for that; any other is the user's and stays. */
export async function discardUpload(dataDir: string, path: string): Promise<void> {
  const folder = dirname(path) === uploadFolder(dataDir) ? path : dirname(path);
  if (dirname(folder) !== uploadFolder(dataDir)) return;
  await rm(folder, { recursive: true, force: true });
  await removeIfEmpty(uploadFolder(dataDir));
  await removeIfEmpty(uploadsRoot(dataDir));
}

/** Removes what processes that have ended were sent. @throws SluiceError `io`. */
export async function clearUploads(dataDir: string): Promise<void> {
  await sweepProcessFolders(uploadsRoot(dataDir));
}
