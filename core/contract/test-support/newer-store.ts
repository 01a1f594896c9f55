import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A version of a store that no Sluice of today has. */
export const NEWER = 1000;

/** A store as a newer Sluice may have left it, in an otherwise empty folder. */
export interface NewerStore {
  readonly name: string;
  /** Writes it. @returns the file whose version tells. */
  readonly fixture: (folder: string) => string | Promise<string>;
  /** What this Sluice does with such a store. @throws, or gives why it can't be used. */
  readonly use: (path: string, folder: string) => unknown;
}

/** Writes a file of JSON. @param path below the folder. @returns its whole path. */
export function putJson(folder: string, path: string, value: unknown): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(value));
  return file;
}
