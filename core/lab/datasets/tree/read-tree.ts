import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../../contract';
import { ioError } from '../../../storage';
import { BoundedTasks } from '../chunks/bounded-tasks';
import { hashOf } from '../chunks/chunk-store';
import type { ContentCutter } from '../chunks/content-cutter';
import { chunksOf } from '../chunks/file-chunks';
import type { ChunkRef, TreeEntry } from './manifest';
import type { WalkedEntry, WalkedTree } from './walk-tree';

/** Chunks that are hashed and stored beside one another: with the longest ones, 32 MiB in memory. */
const CHUNKS_AT_ONCE = 8;

/** A chunk of a file that is being read. */
export interface ReadChunk {
  readonly hash: string;
  /** Not written again: may be kept. */
  readonly bytes: Buffer;
  /** Path in the tree and place in the file. */
  readonly path: string;
  readonly offset: number;
}

export interface ReadOptions {
  readonly cutter: ContentCutter;
  readonly signal?: AbortSignal | undefined;
  /** Told of each chunk, several at once and not always in order; what it throws ends the reading. */
  readonly onChunk: (chunk: ReadChunk) => Promise<void>;
}

/**
 * Cuts and hashes all files of a tree, as a stream.
 * @returns the entries of its manifest.
 * @throws SluiceError `conflict` when a file changes meanwhile, `io`, `cancelled`, what `onChunk` throws.
 */
export async function readTree(tree: WalkedTree, options: ReadOptions): Promise<TreeEntry[]> {
  const tasks = new BoundedTasks(CHUNKS_AT_ONCE);
  const entries: TreeEntry[] = [];
  try {
    for (const entry of tree.entries) {
      const { path, type, mode, target } = entry;
      if (type === 'link') entries.push({ path, type, target });
      else if (type === 'folder') entries.push({ path, type, mode });
      else entries.push(await readFileEntry(tree.root, entry, tasks, options));
    }
    await tasks.finish();
  } finally {
    await tasks.settle();
  }
  return entries;
}

async function readFileEntry(
  root: string,
  { path, mode, bytes }: WalkedEntry,
  tasks: BoundedTasks,
  options: ReadOptions,
): Promise<TreeEntry> {
  const full = join(root, path);
  // Filled while later chunks and files are read.
  const chunks: ChunkRef[] = [];
  const file = await openToRead(full);
  try {
    const before = await file.stat();
    let offset = 0;
    let index = 0;
    for await (const chunk of chunksOf(file, bytes, options.cutter)) {
      if (options.signal?.aborted) throw new SluiceError('cancelled', `Reading ${full} was cancelled.`);
      const place = { path, offset, index };
      await tasks.start(async () => {
        const hash = await hashOf(chunk);
        chunks[place.index] = [hash, chunk.length];
        await options.onChunk({ hash, bytes: chunk, path, offset: place.offset });
      });
      offset += chunk.length;
      index += 1;
    }
    const after = await file.stat();
    if (before.mtimeMs !== after.mtimeMs || after.size !== offset) throw changed(full);
    return { path, type: 'file', mode, bytes: offset, chunks };
  } catch (cause) {
    throw ioError(`Can't read ${full}`, cause);
  } finally {
    await file.close();
  }
}

/** Opens a file, but no link that has taken its place. @throws SluiceError `io`. */
export async function openToRead(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NOFOLLOW).catch((cause: unknown) => {
    throw ioError(`Can't open ${path}`, cause);
  });
}

/** @returns the error of a file that is not what it was a moment ago. */
export function changed(path: string): SluiceError {
  return new SluiceError(
    'conflict',
    `${path} changed while it was read. Wait until it is written, and try again: what has been sent is not sent again.`,
    { path },
  );
}
