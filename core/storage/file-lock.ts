import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineClockMs } from '../base';
import { SluiceError } from '../contract';
import { isProcessAlive, processMark } from './process-mark';

/** A lock is written in two steps; one that is still empty after this long was left by a process that died. */
const WRITE_PATIENCE_MS = 10_000;
const ATTEMPTS = 5;
/** Longer than an empty lock is believed: a section takes milliseconds, so whoever holds it longer is stuck. */
const WAIT_MS = 15_000;
const POLL_MS = 10;

/**
 * Takes a lock file that names this process; one left by a dead process is taken over. Its folder must exist.
 * @returns a function that gives it back, or undefined when a living process (this one too) holds it.
 * @throws what the file system says, `ENOENT` when the folder is gone.
 */
export async function tryLock(path: string): Promise<(() => Promise<void>) | undefined> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    try {
      const file = await open(path, 'wx');
      try {
        await file.writeFile(processMark());
      } catch (error) {
        // On a full disk: left behind empty, it would pass for one that is just being taken.
        await rm(path, { force: true });
        throw error;
      } finally {
        await file.close();
      }
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const state = await stateOf(path);
      if (state === 'held') return undefined;
      // One that was given back meanwhile must not be discarded: by now it may be another's.
      if (state === 'left') await discard(path);
    }
  }
  return undefined;
}

/**
 * Runs a short section that no other process (nor another part of this one) runs at the same time.
 * @param path the lock file; its folder must exist.
 * @throws SluiceError `conflict` when the lock stays held for 15 s; what the section throws.
 */
export async function withLock<T>(path: string, section: () => Promise<T>): Promise<T> {
  const startMs = engineClockMs();
  for (;;) {
    const unlock = await tryLock(path);
    if (unlock) return run(section, unlock);
    if (engineClockMs() - startMs > WAIT_MS) {
      throw new SluiceError(
        'conflict',
        `${path} has been held by another process for ${WAIT_MS / 1000} s. End that process, or delete the file.`,
        { path },
      );
    }
    await sleep(POLL_MS);
  }
}

/** A section that throws before it has begun to wait gives the lock back too. */
async function run<T>(section: () => Promise<T>, unlock: () => Promise<void>): Promise<T> {
  try {
    return await section();
  } finally {
    await unlock();
  }
}

/** `left`: by a process that is dead. `gone`: there is none any more. */
async function stateOf(path: string): Promise<'held' | 'left' | 'gone'> {
  const mark = await readFile(path, 'utf8').catch(() => undefined);
  if (mark === undefined) return 'gone';
  return (mark === '' ? await isFresh(path) : isProcessAlive(mark)) ? 'held' : 'left';
}

async function isFresh(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && engineClockMs() - found.mtimeMs < WRITE_PATIENCE_MS;
}

/** Removes a lock that nobody holds; puts it back when another process has taken it over in the meantime. */
async function discard(path: string): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await stateOf(aside)) === 'held') await rename(aside, path);
  else await rm(aside, { force: true });
}
