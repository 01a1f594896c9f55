import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

import type { SecretFile } from './secret-keeper';

/** The owner alone reads and writes. Windows has no such modes: there the user's profile is private as a whole. */
const OWNER_ONLY = 0o600;

/** A file written through a temporary one, so that a crash leaves the old content or the new. */
export function openSecretFile(path: string): SecretFile {
  return {
    path,
    read: () => {
      try {
        return readFileSync(path, 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    write: (text) => {
      const staged = `${path}.new`;
      // What a crash left there keeps the mode it had.
      rmSync(staged, { force: true });
      const file = openSync(staged, 'wx', OWNER_ONLY);
      try {
        writeFileSync(file, text);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(staged, path);
    },
    setAside: () => renameSync(path, `${path}.unusable`),
  };
}
