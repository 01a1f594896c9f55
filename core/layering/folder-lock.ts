import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { engineClockMs } from '../base';
import { SluiceError } from '../contract';

/** A lock is written in two steps; one that is still empty after this long was left by a process that died. */
const WRITE_PATIENCE_MS = 10_000;
const ATTEMPTS = 5;

/**
 * Takes a lock file that names this process; one left by a dead process is taken over.
 * @returns a function that gives it back. @throws SluiceError `conflict` when a living process holds it.
 */
export async function takeLock(path: string, what: string): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    await mkdir(dirname(path), { recursive: true });
    try {
      const file = await open(path, 'wx');
      try {
        await file.writeFile(`${process.pid} ${await startOf(process.pid)}`);
      } finally {
        await file.close();
      }
      return () => rm(path, { force: true });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Whoever used the folder last may just have removed it.
      if (code === 'ENOENT') continue;
      if (code !== 'EEXIST') throw error;
      if (await isHeld(path)) break;
      await discard(path);
    }
  }
  throw new SluiceError('conflict', `${what} is being imported already. Wait for it, or cancel it first.`, {
    path,
  });
}

/** Whether a living process holds the lock. */
export async function isHeld(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  if (text === '') return isFresh(path);
  const [pidText = '', start = ''] = text.split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // Process ids come round again: the same one started at another time is somebody else.
  const startNow = await startOf(pid);
  return start === '' || startNow === '' || start === startNow;
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
  if (await isHeld(aside)) await rename(aside, path);
  else await rm(aside, { force: true });
}

/** When a process started, in clock ticks since boot; '' where the system doesn't tell. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name, in brackets, may hold spaces; the start is field 22 (proc_pid_stat(5)).
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
