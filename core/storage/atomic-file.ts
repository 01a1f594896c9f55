import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { SluiceError } from '../contract';

/**
 * Replaces a file so that a reader (or a crash) sees the old content or the new, never a mixture: write beside it,
 * flush, rename, flush the folder.
 * @throws SluiceError `io`, e.g. when the disk is full; the old file is then untouched.
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  mode = 0o666,
): Promise<void> {
  const staged = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    const file = await open(staged, 'wx', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(staged, path);
    await syncFolder(dirname(path));
  } catch (cause) {
    await rm(staged, { force: true });
    throw ioError(`Can't write ${path}`, cause);
  }
}

/** Makes renames and new names in a folder survive a power loss. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space and try again',
  EDQUOT: 'your disk quota is used up; free some space and try again',
  EACCES: 'permission denied; check who owns the folder',
  EROFS: 'the file system is read-only',
  ENOENT: 'there is no such file or folder',
  EFBIG: 'the file would exceed the size limit of this process or file system',
  EIO: 'the disk reported an error; check its health',
};

/** A file system error as a SluiceError `io` that says what to do. */
export function ioError(what: string, cause: unknown): SluiceError {
  if (cause instanceof SluiceError) return cause;
  const code = (cause as NodeJS.ErrnoException).code ?? '';
  const hint = systemHint(code, cause instanceof Error ? cause.message : String(cause));
  return new SluiceError('io', `${what}: ${hint}.`, { errno: code }, { cause });
}

/** Whether the file system failed, rather than that a file is not there or holds something else than expected. */
export function isDiskFault(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return !(cause instanceof SluiceError) && code !== undefined && code in HINTS && code !== 'ENOENT';
}

/** What an error name like `EIO` means and what to do, without a full stop. @param otherwise for names without a hint. */
export function systemHint(code: string, otherwise: string): string {
  return `${HINTS[code] ?? otherwise}${code ? ` (${code})` : ''}`;
}
