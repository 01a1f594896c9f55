import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Where files that a browser sent wait for their import, each in a folder of its own. */
export function uploadFolder(dataDir: string): string {
  return join(dataDir, 'uploads');
}

/** Removes a file after its import if it was uploaded for that; any other file is the user's and stays. */
export async function discardUpload(dataDir: string, path: string): Promise<void> {
  const folder = dirname(path);
  if (dirname(folder) === uploadFolder(dataDir)) await rm(folder, { recursive: true, force: true });
}

/** Removes what earlier sessions uploaded. */
export async function clearUploads(dataDir: string): Promise<void> {
  await rm(uploadFolder(dataDir), { recursive: true, force: true });
}
