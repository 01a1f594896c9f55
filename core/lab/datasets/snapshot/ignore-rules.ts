import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import ignore from 'ignore';

import { SluiceError } from '../../../contract';
import { ioError } from '../../../storage';

export const IGNORE_FILE = '.sluiceignore';
/** What no run needs; a line such as `!node_modules/` in the ignore file takes one back in. */
const ALWAYS = ['.git/', 'node_modules/', '__pycache__/', '.venv/', '.DS_Store'];
const MAX_IGNORE_BYTES = 2 ** 20;

/**
 * Reads the ignore file of a folder: gitignore's syntax, the file in the folder itself only.
 * @returns whether a path is left out; what is below a folder that is left out is not asked for.
 * @throws SluiceError `bad-input` when it is no text of a reasonable size, `io`.
 */
export async function ignoreRulesOf(folder: string): Promise<(path: string, isFolder: boolean) => boolean> {
  const rules = ignore({ ignorecase: false }).add(ALWAYS);
  rules.add(await readRules(join(folder, IGNORE_FILE)));
  return (path, isFolder) => rules.ignores(isFolder ? `${path}/` : path);
}

async function readRules(path: string): Promise<string> {
  try {
    const found = await lstat(path);
    if (!found.isFile() || found.size > MAX_IGNORE_BYTES) {
      throw new SluiceError(
        'bad-input',
        `${path}: expected a text file of at most ${MAX_IGNORE_BYTES} bytes with a pattern a line.`,
        { path },
      );
    }
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw ioError(`Can't read ${path}`, cause);
  }
}
