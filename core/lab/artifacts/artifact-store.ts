import { constants, type Stats } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rename, rm, unlink, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';

import { SluiceError } from '../../contract';
import { ioError, syncFolder } from '../../storage';
import type { ArtifactPath } from './artifact-path';
import { contentTypeOf } from './content-type';

export interface ArtifactInfo {
  /** Relative to what was listed, `/` between names. */
  readonly path: string;
  readonly isFolder: boolean;
  /** 0 for folders. */
  readonly sizeBytes: number;
}

/** A file, open for reading; whoever opened it closes it or reads `stream` to its end. */
/** Bytes `first` to `last`, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

export interface OpenArtifact {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly contentType: string;
  /** All of it, or a range that lies within. Closes the file at its end, or when destroyed. */
  stream(range?: ByteRange): Readable;
  close(): Promise<void>;
}

type Found =
  | { readonly kind: 'missing' }
  /** A name on the way, `at`, is a file. */
  | { readonly kind: 'below-file'; readonly at: string }
  | { readonly kind: 'file' | 'folder'; readonly stats: Stats };

const MOST_LISTED = 100_000;

/**
 * The artifacts of a lab: files in its folder, written whole or not at all. No link below that folder is followed.
 * Uploads are gathered in a folder beside it, on the same disk.
 */
export class ArtifactStore {
  private uploads = 0;
  private readonly listeners = new Set<(path: ArtifactPath) => void>();

  private constructor(
    private readonly root: string,
    private readonly staging: string,
  ) {}

  /**
   * Makes the folders, and removes what uploads that were cut off by the end of the process left.
   * @param labFolder held by this process alone. @throws SluiceError `io`.
   */
  static async open(labFolder: string): Promise<ArtifactStore> {
    const root = join(labFolder, 'artifacts');
    const staging = join(labFolder, 'artifact-uploads');
    try {
      await rm(staging, { recursive: true, force: true });
      await mkdir(root, { recursive: true });
      await mkdir(staging, { recursive: true });
      return new ArtifactStore(await realpath(root), staging);
    } catch (cause) {
      throw ioError(`Can't keep artifacts in ${root}`, cause);
    }
  }

  /**
   * Stores a file, replacing an older one of that path; it is on the disk when this returns. When `content` fails or is cut
   * off, nothing is kept.
   * @param content is taken a chunk at a time, as fast as the disk goes. @returns its size in bytes.
   * @throws SluiceError `bad-input` (a folder has that name, or a file the name of one of its folders), `io`.
   */
  async write(path: ArtifactPath, content: AsyncIterable<Uint8Array>): Promise<number> {
    await this.refuseOccupied(path);
    const staged = this.stagedPath();
    try {
      const sizeBytes = await writeDurably(staged, content);
      await this.refuseOccupied(path);
      const target = this.place(path);
      await makeFolders(dirname(target));
      await rename(staged, target);
      await syncFolder(dirname(target));
      for (const listener of this.listeners) listener(path);
      return sizeBytes;
    } catch (cause) {
      await rm(staged, { force: true });
      throw ioError(`Can't store artifact ${path.join('/')}`, cause);
    }
  }

  /** Calls back with the path of each file that was stored; it must not throw. @returns what ends it. */
  watch(onStored: (path: ArtifactPath) => void): () => void {
    this.listeners.add(onStored);
    return () => void this.listeners.delete(onStored);
  }

  /** @throws SluiceError `not-found`, `bad-input` (a folder, a link), `io`. */
  async read(path: ArtifactPath): Promise<OpenArtifact> {
    const found = await this.find(path);
    if (found.kind === 'folder') {
      throw pathError('bad-input', path, 'expected a file, found a folder; list it and read its files');
    }
    if (found.kind !== 'file') throw missing(path);
    try {
      // Windows has no O_NOFOLLOW: nothing is added there.
      const file = await open(this.place(path), constants.O_RDONLY | constants.O_NOFOLLOW);
      return await openArtifact(path.at(-1) ?? '', file);
    } catch (cause) {
      // Removed since it was found.
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw missing(path);
      throw ioError(`Can't read artifact ${path.join('/')}`, cause);
    }
  }

  /**
   * What a folder holds, in the order of the paths; nothing when it is missing or a file, since a run without artifacts has
   * no folder.
   * @param isRecursive also what its folders hold, at any depth.
   * @throws SluiceError `bad-input` (more entries than can be listed at once, a link), `io`.
   */
  async list(path: ArtifactPath, isRecursive = false): Promise<readonly ArtifactInfo[]> {
    const found = await this.find(path);
    if (found.kind !== 'folder') return [];
    const entries: ArtifactInfo[] = [];
    const waiting: ArtifactPath[] = [[]];
    try {
      for (let below = waiting.pop(); below; below = waiting.pop()) {
        const level = await entriesOf(this.place([...path, ...below]), below);
        if (entries.length + level.length > MOST_LISTED) {
          throw pathError(
            'bad-input',
            path,
            `it holds more than ${MOST_LISTED} entries; list one of its folders`,
          );
        }
        entries.push(...level);
        if (isRecursive)
          waiting.push(...level.filter((one) => one.isFolder).map((one) => one.path.split('/')));
      }
    } catch (cause) {
      throw ioError(`Can't list artifacts in ${path.join('/') || 'the store'}`, cause);
    }
    return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /**
   * Removes a file, or a folder with all it holds: whoever lists it sees all of it or nothing.
   * @throws SluiceError `not-found`, `bad-input` (the store itself, a link), `io`.
   */
  async remove(path: ArtifactPath): Promise<void> {
    if (path.length === 0)
      throw pathError('bad-input', path, 'expected a path below the store, found the store itself');
    const found = await this.find(path);
    if (found.kind !== 'file' && found.kind !== 'folder') throw missing(path);
    const place = this.place(path);
    try {
      if (found.kind === 'file') {
        await unlink(place);
      } else {
        const aside = this.stagedPath();
        await rename(place, aside);
        await rm(aside, { recursive: true, force: true });
      }
      await syncFolder(dirname(place));
    } catch (cause) {
      throw ioError(`Can't remove artifact ${path.join('/')}`, cause);
    }
  }

  private place(path: ArtifactPath): string {
    return join(this.root, ...path);
  }

  /** The number is enough: the folder was empty when this store was opened. */
  private stagedPath(): string {
    this.uploads += 1;
    return join(this.staging, `${this.uploads}.tmp`);
  }

  private async refuseOccupied(path: ArtifactPath): Promise<void> {
    if (path.length === 0) throw pathError('bad-input', path, 'expected the name of a file, found none');
    const found = await this.find(path);
    if (found.kind === 'folder')
      throw pathError('bad-input', path, 'a folder of that name is there; choose another');
    if (found.kind !== 'below-file') return;
    throw pathError('bad-input', path, `${found.at} is a file and can't hold others; choose another path`);
  }

  /** Looks at each name on the way. @throws SluiceError `bad-input` when one is a link, which could lead anywhere; `io`. */
  private async find(path: ArtifactPath): Promise<Found> {
    for (let depth = 0; depth <= path.length; depth += 1) {
      const stats = await statsOf(this.place(path.slice(0, depth)));
      if (!stats) return { kind: 'missing' };
      const isFolder = stats.isDirectory();
      if (!isFolder && !stats.isFile()) {
        throw pathError(
          'bad-input',
          path,
          'expected files and folders, found a link or device, which is not followed',
        );
      }
      if (depth === path.length) return { kind: isFolder ? 'folder' : 'file', stats };
      if (!isFolder) return { kind: 'below-file', at: path.slice(0, depth).join('/') };
    }
    return { kind: 'missing' };
  }
}

async function statsOf(place: string): Promise<Stats | undefined> {
  try {
    return await lstat(place);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Can't look at ${place}`, cause);
  }
}

async function writeDurably(place: string, content: AsyncIterable<Uint8Array>): Promise<number> {
  const file = await open(place, 'wx');
  try {
    for await (const chunk of content) await file.writeFile(chunk);
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

/** Makes what is missing of a folder's path so that it survives a power loss. */
async function makeFolders(place: string): Promise<void> {
  const first = await mkdir(place, { recursive: true });
  if (first === undefined) return;
  for (let folder = place; folder.length >= first.length; folder = dirname(folder)) {
    await syncFolder(dirname(folder));
  }
}

async function openArtifact(name: string, file: FileHandle): Promise<OpenArtifact> {
  try {
    const { size, mtimeMs } = await file.stat();
    return {
      name,
      sizeBytes: size,
      modifiedMs: mtimeMs,
      contentType: contentTypeOf(name),
      stream: (range) => file.createReadStream(range && { start: range.first, end: range.last }),
      close: () => file.close(),
    };
  } catch (cause) {
    await file.close();
    throw cause;
  }
}

/** The files and folders in one folder; links are left out, and so is what vanishes meanwhile. */
async function entriesOf(place: string, below: ArtifactPath): Promise<readonly ArtifactInfo[]> {
  const entries = await readdir(place, { withFileTypes: true }).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw cause;
  });
  const infos = entries.map(async (entry): Promise<readonly ArtifactInfo[]> => {
    const path = [...below, entry.name].join('/');
    if (entry.isDirectory()) return [{ path, isFolder: true, sizeBytes: 0 }];
    const stats = entry.isFile() ? await statsOf(join(place, entry.name)) : undefined;
    return stats?.isFile() ? [{ path, isFolder: false, sizeBytes: stats.size }] : [];
  });
  return (await Promise.all(infos)).flat();
}

function pathError(code: 'bad-input' | 'not-found', path: ArtifactPath, problem: string): SluiceError {
  const text = path.join('/');
  return new SluiceError(code, `Artifact path "${text}": ${problem}.`, { path: text });
}

function missing(path: ArtifactPath): SluiceError {
  return pathError('not-found', path, 'there is no such artifact; list its folder to see what there is');
}
