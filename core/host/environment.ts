import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';

import { SluiceError } from '../contract';

const CPU_FOLDER = '/sys/devices/system/cpu';

/**
 * SLUICE_DATA_DIR, or the folder that systemd made for a service (`StateDirectory=`, systemd.exec(5)), or `sluice` in
 * the user's data folder (XDG Base Directory Specification). Absolute.
 */
export function dataDirOf(env: NodeJS.ProcessEnv, home: string): string {
  const chosen = env['SLUICE_DATA_DIR'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  const state = env['STATE_DIRECTORY']?.split(':')[0];
  if (state !== undefined && state !== '') return resolve(state);
  const dataHome = env['XDG_DATA_HOME'];
  return join(dataHome !== undefined && dataHome !== '' ? dataHome : join(home, '.local', 'share'), 'sluice');
}

/**
 * Threads to compute with: SLUICE_THREADS, or the physical cores this process may use.
 * @throws SluiceError `bad-input` when SLUICE_THREADS is no whole number from 1 to 256.
 */
export function threadsOf(env: NodeJS.ProcessEnv): number {
  const chosen = env['SLUICE_THREADS'];
  if (chosen === undefined || chosen === '') return Math.min(physicalCores(), availableParallelism());
  const threads = Number(chosen);
  if (Number.isInteger(threads) && threads >= 1 && threads <= 256) return threads;
  throw new SluiceError(
    'bad-input',
    `SLUICE_THREADS: expected a whole number from 1 to 256, found "${chosen}".`,
  );
}

/** Cores without their second hardware threads: those add little to matrix products and take from the reader. */
function physicalCores(): number {
  try {
    const groups = readdirSync(CPU_FOLDER)
      .filter((name) => /^cpu\d+$/.test(name))
      .map((name) => readFileSync(join(CPU_FOLDER, name, 'topology/thread_siblings_list'), 'utf8').trim());
    return Math.max(1, new Set(groups).size);
  } catch {
    return availableParallelism(); // not Linux, or a container that hides the topology
  }
}
