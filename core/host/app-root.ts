import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { SluiceError } from '../contract';

/**
 * Sluice's own folder: the nearest one upwards whose package.json is named `sluice`. Sources, `out/` and node_modules
 * stand in it, from a clone as in Electron's `resources/app`.
 * @throws SluiceError `internal` when there is none: the installation is incomplete.
 */
export function findAppRoot(from: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (isSluice(join(folder, 'package.json'))) return folder;
    if (folder === dirname(folder)) {
      throw new SluiceError(
        'internal',
        `No package.json of "sluice" in ${from} or above it. Install Sluice again.`,
        { from },
      );
    }
  }
}

function isSluice(packageFile: string): boolean {
  return existsSync(packageFile) && readPackage(packageFile).name === 'sluice';
}

/** Sluice's version as its package.json has it. */
export function appVersion(appRoot: string): string {
  return readPackage(join(appRoot, 'package.json')).version ?? 'unknown';
}

function readPackage(path: string): { readonly name?: string; readonly version?: string } {
  return JSON.parse(readFileSync(path, 'utf8')) as { name?: string; version?: string };
}
