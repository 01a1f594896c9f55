import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readdir, rename, rm, rmdir, statfs, symlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { formatBytes } from '../../../base';
import { SluiceError } from '../../../contract';
import { ioError } from '../../../storage';
import { BoundedTasks } from '../chunks/bounded-tasks';
import { totalsOf, type FileEntry, type Manifest } from './manifest';

/** Chunks that are read, checked and written beside one another. */
const CHUNKS_AT_ONCE = 8;
const WRITE_BITS = 0o222;

export interface WriteOptions {
  /** Gives the content of a chunk, checked. */
  readonly readChunk: (hash: string, byteLength: number) => Promise<Uint8Array>;
  /** Takes the right to write from files and folders. Default: the modes are those of the manifest. */
  readonly isReadOnly?: boolean;
  /** Flushes each file, for trees that are used again after a restart. */
  readonly isDurable?: boolean;
  readonly signal?: AbortSignal | undefined;
  /** Told how many more bytes are written. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Writes a tree as a new folder: whole, or not at all. Every file is a copy of its own, so whoever works in the folder
 * can't reach the store.
 * @param manifest its paths have been checked (`parseManifest`, `walkTree`).
 * @param folder must not be there, or be empty.
 * @throws SluiceError `conflict`, `io` (the disk has no room for it), `cancelled`, what `readChunk` throws.
 */
export async function writeTree(manifest: Manifest, folder: string, options: WriteOptions): Promise<void> {
  const target = resolve(folder);
  const staged = `${target}.${randomBytes(4).toString('hex')}.partial`;
  try {
    await refuseUsed(target);
    await mkdir(staged, { recursive: true });
    await refuseFullDisk(target, totalsOf(manifest).bytes);
    await writeEntries(manifest, staged, options);
    await rmdir(target).catch(() => undefined);
    await rename(staged, target);
  } catch (cause) {
    await removeTree(staged);
    throw ioError(`Can't write ${target}`, cause);
  }
}

/** Removes a folder, read-only ones in it too. @throws what the file system says. */
export async function removeTree(folder: string): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw cause;
    await allowRemoval(folder);
    await rm(folder, { recursive: true, force: true });
  }
}

async function writeEntries(manifest: Manifest, root: string, options: WriteOptions): Promise<void> {
  const folders = manifest.entries.filter((entry) => entry.type === 'folder');
  for (const { path } of folders) await mkdir(join(root, path));
  const tasks = new BoundedTasks(CHUNKS_AT_ONCE);
  const openFiles = new Set<FileHandle>();
  try {
    for (const entry of manifest.entries) {
      if (options.signal?.aborted) throw new SluiceError('cancelled', `Writing ${root} was cancelled.`);
      if (entry.type === 'file') await writeFileEntry(entry, root, { tasks, openFiles }, options);
    }
    await tasks.finish();
  } finally {
    await tasks.settle();
    // Those of which not all chunks could be written.
    for (const file of openFiles) await file.close();
  }
  // Behind the files: nothing is ever written through a link.
  for (const entry of manifest.entries) {
    if (entry.type === 'link') await symlink(entry.target, join(root, entry.path));
  }
  // The innermost first: an outer one may then no longer let anybody in.
  for (const { path, mode } of folders.reverse()) await chmod(join(root, path), modeFor(mode, options));
}

/** Starts writing a file; the last of its chunks closes it. */
async function writeFileEntry(
  entry: FileEntry,
  root: string,
  { tasks, openFiles }: { readonly tasks: BoundedTasks; readonly openFiles: Set<FileHandle> },
  options: WriteOptions,
): Promise<void> {
  const full = join(root, entry.path);
  if (entry.chunks.length === 0) {
    await tasks.start(async () => finishFile(await open(full, 'wx'), entry, options));
    return;
  }
  const file = new SharedFile(full, entry.chunks.length, openFiles);
  let offset = 0;
  for (const [hash, byteLength] of entry.chunks) {
    if (options.signal?.aborted) throw new SluiceError('cancelled', `Writing ${full} was cancelled.`);
    const at = offset;
    offset += byteLength;
    await tasks.start(() =>
      file.use(
        async (handle) => {
          const bytes = await options.readChunk(hash, byteLength);
          if (bytes.length !== byteLength) throw wrongLength(entry.path, hash, byteLength, bytes.length);
          await writeAll(handle, bytes, at);
          options.onBytes?.(byteLength);
        },
        (handle) => finishFile(handle, entry, options),
      ),
    );
  }
}

/** One open file for several tasks; the last one finishes it. */
class SharedFile {
  private opened: Promise<FileHandle> | undefined;
  private done = 0;

  constructor(
    private readonly path: string,
    private readonly uses: number,
    private readonly openFiles: Set<FileHandle>,
  ) {}

  async use(
    task: (file: FileHandle) => Promise<void>,
    last: (file: FileHandle) => Promise<void>,
  ): Promise<void> {
    this.opened ??= this.open();
    const file = await this.opened;
    await task(file);
    this.done += 1;
    if (this.done < this.uses) return;
    this.openFiles.delete(file);
    await last(file);
  }

  private async open(): Promise<FileHandle> {
    const file = await open(this.path, 'wx');
    this.openFiles.add(file);
    return file;
  }
}

async function finishFile(file: FileHandle, { mode }: FileEntry, options: WriteOptions): Promise<void> {
  try {
    await file.chmod(modeFor(mode, options));
    if (options.isDurable) await file.sync();
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

function modeFor(mode: number, { isReadOnly }: WriteOptions): number {
  return isReadOnly ? mode & ~WRITE_BITS : mode;
}

async function refuseUsed(target: string): Promise<void> {
  const names = await readdir(target).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw ioError(`Can't write ${target}`, cause);
  });
  if (names.length === 0) return;
  throw new SluiceError(
    'conflict',
    `${target}: expected no folder or an empty one, found ${names.length} files in it. Name another.`,
    { path: target },
  );
}

async function refuseFullDisk(target: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(target));
  const freeBytes = bavail * bsize;
  if (freeBytes >= neededBytes) return;
  throw new SluiceError(
    'io',
    `Can't write ${target}: it takes ${formatBytes(neededBytes)}, and the disk has ${formatBytes(freeBytes)} left. ` +
      'Free some space or name a folder on another disk.',
    { errno: 'ENOSPC', neededBytes, freeBytes },
  );
}

function wrongLength(path: string, hash: string, expected: number, found: number): SluiceError {
  return new SluiceError(
    'corrupt-store',
    `${path}: chunk ${hash} should have ${expected} bytes and has ${found}.`,
    { hash, expected, found },
  );
}

async function allowRemoval(folder: string): Promise<void> {
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await allowRemoval(join(folder, entry.name));
  }
}
