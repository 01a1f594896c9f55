import { sep } from 'node:path';

const ARCHIVE = `${sep}app.asar${sep}`;
const BESIDE_IT = `${sep}app.asar.unpacked${sep}`;

/**
 * The plain file that stands for one of the application's archive. The engine and what it starts run from plain files
 * (electron-builder.config.mjs): its workers and native libraries could not be loaded from an archive. From a clone the
 * path stays as it is.
 */
export function plainFile(path: string): string {
  return path.replace(ARCHIVE, BESIDE_IT);
}
