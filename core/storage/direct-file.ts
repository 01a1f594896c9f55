import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { SluiceError } from '../contract';

/** Direct I/O wants file offsets, lengths and memory aligned to the device's logical block; 4096 suits all in use. */
export const DIRECT_ALIGNMENT = 4096;

/** Rounds up to the next multiple of the direct I/O alignment. */
export function alignUp(bytes: number, alignment: number = DIRECT_ALIGNMENT): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** A file opened past the page cache where the file system allows it. */
export interface DirectFile {
  readonly fd: number;
  /** False where the file system refuses O_DIRECT (some network and overlay file systems): its data is then cached. */
  readonly direct: boolean;
}

/** Opens a file that is there. @throws SluiceError `io` naming the path. */
export function openDirect(path: string, access: 'read' | 'read-write' = 'read'): DirectFile {
  const flags = access === 'read' ? constants.O_RDONLY : constants.O_RDWR;
  const flag = constants.O_DIRECT as number | undefined;
  if (flag !== undefined) {
    try {
      return { fd: openSync(path, flags | flag), direct: true };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw openError(path, error);
    }
  }
  try {
    return { fd: openSync(path, flags), direct: false };
  } catch (error) {
    throw openError(path, error);
  }
}

export function closeDirect(file: DirectFile): void {
  closeSync(file.fd);
}

/** Reads until `length` bytes have come or the file ends. @returns bytes read. */
export function readFully(fd: number, target: Uint8Array, length: number, position: number): number {
  let done = 0;
  while (done < length) {
    const count = readSync(fd, target, done, length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Writes all of `source`. @throws what the file system says, `ENOSPC` when the disk is full. */
export function writeFully(fd: number, source: Uint8Array, position: number): void {
  for (let done = 0; done < source.byteLength;) {
    done += writeSync(fd, source, done, source.byteLength - done, position + done);
  }
}

function openError(path: string, cause: unknown): SluiceError {
  const code = (cause as NodeJS.ErrnoException).code ?? 'unknown error';
  return new SluiceError('io', `Can't open ${path}: ${code}.`, { path, errno: code }, { cause });
}
