import type { Dirent, Stats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { SluiceError } from '../../../contract';
import { ioError } from '../../../storage';
import { refuseTooMany, refused } from './manifest';
import { foldedPath, linkFault, pathFault, shownPath } from './safe-path';

const STATS_AT_ONCE = 64;

/** A file, folder or link as it stands on the disk. */
export interface WalkedEntry {
  /** In the tree, with `/`. */
  readonly path: string;
  readonly type: 'file' | 'folder' | 'link';
  readonly mode: number;
  readonly bytes: number;
  /** Of a link. */
  readonly target: string;
}

export interface WalkedTree {
  /** What was walked: the folder, or the folder that the one file is in. */
  readonly root: string;
  /** Sorted by path. */
  readonly entries: readonly WalkedEntry[];
}

export interface WalkOptions {
  /** Of a path in the tree; a folder that is ignored is not looked into. */
  readonly isIgnored?: (path: string, isFolder: boolean) => boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Lists a folder, or one file, without following links.
 * @throws SluiceError `not-found`, `bad-input` that names links that leave the folder, sockets, names that other systems
 * can't have and names that are one where case is ignored; `io`, `cancelled`.
 */
export async function walkTree(source: string, options: WalkOptions = {}): Promise<WalkedTree> {
  let found: Stats;
  try {
    found = await lstat(source);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError(`Can't look at ${source}`, cause);
    throw new SluiceError(
      'not-found',
      `${source}: there is no such file or folder.`,
      { path: source },
      { cause },
    );
  }
  if (found.isFile()) {
    const name = basename(source);
    const fault = pathFault(name);
    if (fault !== undefined) throw refused(source, [`${shownPath(name)}: ${fault}`]);
    return { root: join(source, '..'), entries: [fileEntry(name, found)] };
  }
  if (!found.isDirectory()) {
    throw new SluiceError('bad-input', `${source}: expected a file or a folder, found a link or a device.`, {
      path: source,
    });
  }
  return walkFolder(source, options);
}

async function walkFolder(root: string, options: WalkOptions): Promise<WalkedTree> {
  const entries: WalkedEntry[] = [];
  const faults: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    if (options.signal?.aborted) throw new SluiceError('cancelled', `Listing ${root} was cancelled.`);
    for (const found of await listFolder(root, folder, options)) {
      if (typeof found === 'string') faults.push(found);
      else entries.push(found);
      if (typeof found !== 'string' && found.type === 'folder') folders.push(found.path);
    }
    refuseTooMany(entries.length);
  }
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  faults.push(...sameWhereCaseIsIgnored(entries));
  if (faults.length > 0) throw refused(root, faults.sort());
  return { root, entries };
}

/** What is in one folder; a text is a fault. */
async function listFolder(
  root: string,
  folder: string,
  { isIgnored = () => false }: WalkOptions,
): Promise<readonly (WalkedEntry | string)[]> {
  const found: (WalkedEntry | string)[] = [];
  let names: Dirent[];
  try {
    names = await readdir(join(root, folder), { withFileTypes: true });
    const kept = names.filter((name) => !isIgnored(below(folder, name.name), name.isDirectory()));
    for (let at = 0; at < kept.length; at += STATS_AT_ONCE) {
      const some = kept.slice(at, at + STATS_AT_ONCE);
      found.push(...(await Promise.all(some.map(({ name }) => describe(root, below(folder, name))))));
    }
  } catch (cause) {
    throw ioError(`Can't list ${join(root, folder)}`, cause);
  }
  return found;
}

async function describe(root: string, path: string): Promise<WalkedEntry | string> {
  const fault = pathFault(path);
  if (fault !== undefined) return `${shownPath(path)}: ${fault}`;
  const full = join(root, path);
  const found = await lstat(full);
  if (found.isFile()) return fileEntry(path, found);
  if (found.isDirectory()) return { path, type: 'folder', mode: found.mode & 0o777, bytes: 0, target: '' };
  if (!found.isSymbolicLink()) return `${shownPath(path)}: it is neither a file, a folder nor a link`;
  const target = await readlink(full);
  const wrong = linkFault(path, target);
  if (wrong !== undefined) return `${shownPath(path)}, a link to ${shownPath(target)}: ${wrong}`;
  return { path, type: 'link', mode: 0, bytes: 0, target };
}

function fileEntry(path: string, found: Stats): WalkedEntry {
  return { path, type: 'file', mode: found.mode & 0o777, bytes: found.size, target: '' };
}

function below(folder: string, name: string): string {
  return folder === '' ? name : `${folder}/${name}`;
}

function sameWhereCaseIsIgnored(entries: readonly WalkedEntry[]): string[] {
  const seen = new Map<string, string>();
  return entries.flatMap(({ path }) => {
    const folded = foldedPath(path);
    const same = seen.get(folded);
    seen.set(folded, path);
    return same === undefined ? [] : [`${shownPath(path)}: it is ${shownPath(same)} where case is ignored`];
  });
}
