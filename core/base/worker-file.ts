import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Path of a built worker or process entry (`out/main/NAME.js`), both for code running from the build and from source.
 * @throws Error when nothing was built, which is a mistake of the developer, not of the user.
 */
export function workerFile(name: string): string {
  for (let folder = __dirname; ; folder = dirname(folder)) {
    for (const candidate of [join(folder, `${name}.js`), join(folder, 'out', 'main', `${name}.js`)]) {
      if (existsSync(candidate)) return candidate;
    }
    if (folder === dirname(folder)) throw new Error(`${name}.js was not found; run "npm run build" first.`);
  }
}
