import { closeSync, fstatSync, readFile, realpathSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { openBelow } from '../../base';
import { SluiceError } from '../../contract';
import { ioError } from '../../storage';
import { badModel, type NamedSource } from '../source/model-errors';

/** A folder as messages call it. @param folder absolute path. */
export function modelFolder(folder: string): NamedSource {
  return { path: folder, kind: 'model folder' };
}

const readOpened = promisify(readFile);

/**
 * Opens a text file of a model's folder. It may be a link within the folder, or of a hub's cache to its blobs; what lies
 * elsewhere is no part of the model, and any text would do for a template.
 * @returns a descriptor, the caller's to close; undefined when there is none of the name.
 * @throws SluiceError `bad-model` for a link to elsewhere, `io`.
 */
export function openFolderText(folder: string, name: string): number | undefined {
  const file = path.join(folder, name);
  try {
    const real = realpathSync(folder);
    const cache = path.dirname(path.dirname(real));
    const isSnapshot = path.basename(path.dirname(real)) === 'snapshots';
    return openBelow(file, isSnapshot ? [real, path.join(cache, 'blobs')] : [real]);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Can't open ${file}`, cause);
  }
}

/**
 * The text of a file in a model's folder.
 * @returns undefined when there is none of the name.
 * @throws SluiceError as `openFolderText`, `bad-model` for one that is larger than any in use or no regular file.
 */
export async function readFolderText(
  folder: string,
  name: string,
  maxBytes: number,
): Promise<string | undefined> {
  const file = path.join(folder, name);
  const fd = openFolderText(folder, name);
  if (fd === undefined) return undefined;
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile()) throw badModel(modelFolder(folder), `${name} is no regular file`);
    if (stats.size > maxBytes) {
      const problem = `${name} has ${stats.size} bytes; up to ${maxBytes} are in use, so it is damaged`;
      throw badModel(modelFolder(folder), problem);
    }
    return await readOpened(fd, 'utf8');
  } catch (cause) {
    throw ioError(`Can't read ${file}`, cause);
  } finally {
    closeSync(fd);
  }
}

/**
 * The value of a JSON file in a model's folder, not yet looked at.
 * @returns undefined when there is none of the name.
 * @throws SluiceError as `readFolderText`, `bad-model` for what is no JSON.
 */
export async function readFolderJson(folder: string, name: string, maxBytes: number): Promise<unknown> {
  const text = await readFolderText(folder, name, maxBytes);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const pointer = text.startsWith('version https://git-lfs')
      ? 'a Git LFS pointer; run `git lfs pull` where it came from'
      : (cause as Error).message;
    throw new SluiceError(
      'bad-model',
      `${path.join(folder, name)}: expected JSON, found ${pointer}`,
      { file: path.join(folder, name) },
      { cause },
    );
  }
}
