import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../contract';
import { tryLock } from '../../storage';

/** The folder of a lab, held by this process. */
export interface LabFolder {
  readonly path: string;
  readonly databaseFile: string;
  /** Gives it back. */
  release(): Promise<void>;
}

/**
 * Takes a lab's folder for this process, making it when it is not there: two servers would each think the queue theirs.
 * @throws SluiceError `conflict` when another living process serves it, `io`.
 */
export async function takeLabFolder(path: string): Promise<LabFolder> {
  let release: (() => Promise<void>) | undefined;
  try {
    await mkdir(path, { recursive: true });
    release = await tryLock(join(path, 'lab.lock'));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('io', `Can't use ${path} as a lab's folder: ${reason}.`, { path }, { cause });
  }
  if (release) return { path, databaseFile: join(path, 'lab.db'), release };
  throw new SluiceError(
    'conflict',
    `Another server serves the lab in ${path}. Use that one, end it, or name another folder.`,
    { path },
  );
}
