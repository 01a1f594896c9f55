import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';

import { SluiceError } from '../../../contract';
import { ioError } from '../../../storage';

/**
 * A text that a job wrote. What it put there may be anything: a link to a file that the server can read and the job can't
 * would hand over that file.
 * @param ownerId of the user the job ran as, when that is another.
 * @returns undefined when there is none. @throws SluiceError `bad-input` naming what is there instead, `io`.
 */
export async function readWritten(
  file: string,
  name: string,
  mostBytes: number,
  ownerId?: number,
): Promise<string | undefined> {
  const handle = await openPlain(file, name);
  if (!handle) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.nlink !== 1 || (ownerId !== undefined && stats.uid !== ownerId)) {
      throw refused(name, 'a link, a folder or a device');
    }
    if (stats.size > mostBytes) throw refused(name, `${stats.size} bytes; at most ${mostBytes} are taken`);
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

async function openPlain(file: string, name: string): Promise<FileHandle | undefined> {
  try {
    // A pipe that nobody writes to would not open without O_NONBLOCK.
    return await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'ENXIO') throw refused(name, 'a link or a device');
    throw ioError(`Can't read ${file}`, cause);
  }
}

function refused(name: string, found: string): SluiceError {
  return new SluiceError('bad-input', `${name}: expected a plain file there, found ${found}.`);
}
