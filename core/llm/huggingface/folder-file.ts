import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';

import { SluiceError } from '../../contract';
import { ioError } from '../../storage';
import { badModel, type NamedSource } from '../source/model-errors';

/** A folder as messages call it. @param folder absolute path. */
export function modelFolder(folder: string): NamedSource {
  return { path: folder, kind: 'model folder' };
}

/**
 * The text of a file in a model's folder.
 * @returns undefined when there is none of the name.
 * @throws SluiceError `bad-model` for one that is larger than any in use or no regular file, `io`.
 */
export async function readFolderText(
  folder: string,
  name: string,
  maxBytes: number,
): Promise<string | undefined> {
  const file = path.join(folder, name);
  // Without O_NONBLOCK, opening a named pipe would wait for its writer.
  const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw ioError(`Can't open ${file}`, cause);
  });
  if (!handle) return undefined;
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) throw badModel(modelFolder(folder), `${name} is no regular file`);
    if (stats.size > maxBytes) {
      const problem = `${name} has ${stats.size} bytes; up to ${maxBytes} are in use, so it is damaged`;
      throw badModel(modelFolder(folder), problem);
    }
    return await handle.readFile('utf8');
  } catch (cause) {
    throw ioError(`Can't read ${file}`, cause);
  } finally {
    await handle.close();
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
