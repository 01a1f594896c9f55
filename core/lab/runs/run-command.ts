import { stat } from 'node:fs/promises';
import { extname, isAbsolute, join, normalize } from 'node:path';

import { SluiceError } from '../../contract';

/** What starts a file, by its name; others start by themselves. */
const INTERPRETERS: Readonly<Record<string, readonly string[]>> = {
  '.py': ['python3'],
  '.js': ['node'],
  '.mjs': ['node'],
  '.cjs': ['node'],
  '.sh': ['sh'],
};

/** Program and arguments of a run. @param entry within the working folder, where the run begins. */
export function runCommand(entry: string, args: readonly string[]): readonly string[] {
  const path = `./${entry}`;
  return [...(INTERPRETERS[extname(entry).toLowerCase()] ?? []), path, ...args];
}

/**
 * Checks that a file to begin with is there.
 * @returns it in its plain form, relative to the folder. @throws SluiceError `bad-input`.
 */
export async function checkEntry(folder: string, entry: string): Promise<string> {
  const plain = normalize(entry);
  if (isAbsolute(plain) || plain === '..' || plain.startsWith('../')) {
    throw new SluiceError(
      'bad-input',
      `Entry ${JSON.stringify(entry)}: expected a file within ${folder}, found a path that leaves it.`,
      { entry },
    );
  }
  const found = await stat(join(folder, plain)).catch(() => undefined);
  if (found?.isFile()) return plain;
  throw new SluiceError(
    'bad-input',
    `Entry ${JSON.stringify(entry)}: expected a file within ${folder}, found ${found ? 'a folder' : 'none'}. ` +
      'Name the program to start with -e.',
    { entry, folder },
  );
}
