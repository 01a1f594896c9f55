import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { workerFile } from '../../../base';
import { SluiceError } from '../../../contract';
import { ioError } from '../../../storage';

import type { JobFolder } from './job-folder';
import { baseEnvironment } from './program-environment';

/** A supervisor is small: it needs neither a large heap nor many threads. */
const FLAGS = ['--max-old-space-size=64', '--max-semi-space-size=1'];

/**
 * Starts the process that claims and holds a job; it outlives this one. Several of one job do no harm.
 * @returns once it has ended. @throws when it ended without the job being claimed, with what it said last.
 */
export async function superviseJob(folder: JobFolder): Promise<void> {
  const log = openSync(folder.supervisorLog, 'a');
  const args = [...FLAGS, workerFile('lab-supervisor'), resolve(folder.path)];
  const child = spawn(process.execPath, args, {
    cwd: '/',
    // Inside Electron the executable is Electron itself; this makes it behave as Node.
    env: { ...baseEnvironment(process.env), ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['ignore', 'ignore', log],
    detached: true,
  });
  closeSync(log);
  child.unref();
  const code = await new Promise<number | null>((resolveCode, reject) => {
    child.once('error', reject);
    child.once('exit', resolveCode);
  });
  if (code !== 0 && !folder.isClaimed) throw new SluiceError('runtime', lastLine(folder.supervisorLog));
}

/** Makes a supervisor look at what it was asked; should it have ended just now, that is seen anyway. @throws SluiceError `io`. */
export function wakeSupervisor(mark: string): void {
  try {
    process.kill(Number.parseInt(mark, 10), 'SIGTERM');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH')
      throw ioError(`Can't reach the supervisor ${mark}`, cause);
  }
}

function lastLine(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim().split('\n').at(-1) ?? '';
  } catch (cause) {
    // Its folder may have gone with the run.
    return SluiceError.from(cause).message;
  }
}
