import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { SluiceError } from '../../contract';

/** Prose of some length that comes with every clone: the project's own decisions and manuals. */
export function realText(appRoot: string): string {
  const folder = join(appRoot, 'docs', 'adr');
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith('.md'));
    const files = [...names.sort().map((name) => join(folder, name)), join(appRoot, 'README.md')];
    return files.map((file) => readFileSync(file, 'utf8')).join('\n\n');
  } catch (cause) {
    throw new SluiceError(
      'not-found',
      `The benchmark reads its text from ${folder}, which an installed package does not carry. Run it in a clone, or give --text FILE.`,
      { path: folder },
      { cause },
    );
  }
}
