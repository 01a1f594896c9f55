import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';

import { processFolder, removeIfEmpty, sweepProcessFolders } from '../../storage';

/** A push whose other end stays away so long is given up. */
const LONGEST_PAUSE_MS = 24 * 3_600_000;

/** Of all processes on a data folder. */
function uploadsRoot(dataDir: string): string {
  return join(dataDir, 'uploads');
}

/** Where files that a browser sent to this process wait for their import, each in a folder of its own. */
export function uploadFolder(dataDir: string): string {
  return processFolder(uploadsRoot(dataDir));
}

/** Where files arrive that other engines push, a folder for each push. It outlives the process: a push goes on after it. */
export function pushedFolder(dataDir: string): string {
  return join(dataDir, 'pushed');
}

/** @returns the folder of the upload that a path lies in (or is); undefined for any other path. */
function folderOfUpload(dataDir: string, path: string): string | undefined {
  for (const root of [uploadFolder(dataDir), pushedFolder(dataDir)]) {
    const [first = ''] = relative(root, path).split(sep);
    if (first !== '' && first !== '..' && join(root, first, relative(join(root, first), path)) === path) {
      return join(root, first);
    }
  }
  return undefined;
}

/** Whether a file was uploaded for its import, and its folder holds nothing that was not. */
export function isUpload(dataDir: string, path: string): boolean {
  return folderOfUpload(dataDir, path) === dirname(path);
}

/** Removes a file or folder after its import if it was uploaded for that; any other is the user's and stays. */
export async function discardUpload(dataDir: string, path: string): Promise<void> {
  const folder = folderOfUpload(dataDir, path);
  if (folder === undefined) return;
  await rm(folder, { recursive: true, force: true });
  for (const left of [dirname(folder), uploadsRoot(dataDir)]) await removeIfEmpty(left);
}

/** Removes what processes that have ended were sent, and pushes that were given up. @throws SluiceError `io`. */
export async function clearUploads(dataDir: string, nowMs: number): Promise<void> {
  await sweepProcessFolders(uploadsRoot(dataDir));
  await clearPushed(dataDir, nowMs);
}

/** Removes pushes to which nothing was added for a day. @throws SluiceError `io`. */
export async function clearPushed(dataDir: string, nowMs: number): Promise<void> {
  const root = pushedFolder(dataDir);
  for (const name of await readdir(root).catch(() => [])) {
    if (nowMs - (await lastChangeMs(join(root, name))) > LONGEST_PAUSE_MS) {
      await rm(join(root, name), { recursive: true, force: true });
    }
  }
  await removeIfEmpty(root);
}

async function lastChangeMs(folder: string): Promise<number> {
  const inside = await readdir(folder, { recursive: true }).catch(() => []);
  const paths = [folder, ...inside.map((name) => join(folder, name))];
  // One that is gone meanwhile is somebody's who works on it.
  const times = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Infinity,
      ),
    ),
  );
  return Math.max(...times);
}
