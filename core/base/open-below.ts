import { closeSync, constants, fstatSync, lstatSync, openSync, readlinkSync, realpathSync } from 'node:fs';
import path from 'node:path';

import { SluiceError } from '../contract';

/** Whether a path lies below a folder, both without links. */
export function isBelow(folder: string, file: string): boolean {
  const relative = path.relative(folder, file);
  return (
    relative !== '' &&
    relative !== '..' &&
    !relative.startsWith(`..${path.sep}`) &&
    !path.isAbsolute(relative)
  );
}

/**
 * Where an open file really lies. A path may lead elsewhere by now; on Linux the file itself is asked.
 * @param file the path it was opened by.
 * @throws SluiceError `io` when it leads elsewhere by now and the file can't be asked; what the file system says.
 */
export function realPathOf(fd: number, file: string): string {
  if (process.platform === 'linux') {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      // No /proc in this place: as on other systems.
    }
  }
  const real = realpathSync(file);
  const [opened, named] = [fstatSync(fd, { bigint: true }), lstatSync(real, { bigint: true })];
  if (opened.dev === named.dev && opened.ino === named.ino) return real;
  throw new SluiceError('io', `${file} became another file while it was opened. Try again.`, { file });
}

/**
 * Opens a file for reading, then looks where it lies: a link that is turned between a look and the opening leads
 * nowhere. Never waits for whoever writes a named pipe.
 * @param folders real paths; it has to lie below one of them. Absent: it may lie anywhere.
 * @returns a descriptor, the caller's to close.
 * @throws SluiceError `bad-model` for a file elsewhere; what the file system says.
 */
export function openBelow(file: string, folders?: readonly string[]): number {
  const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  if (folders === undefined) return fd;
  try {
    const real = realPathOf(fd, file);
    if (folders.some((folder) => isBelow(folder, real))) return fd;
    throw new SluiceError(
      'bad-model',
      `${file} leads to ${real}; expected a file below ${folders.join(' or ')}. Put the file itself there, and let nobody ` +
        'else write there.',
      { file },
    );
  } catch (thrown) {
    closeSync(fd);
    throw thrown;
  }
}
