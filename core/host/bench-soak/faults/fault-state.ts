import { readFileSync, renameSync, writeFileSync } from 'node:fs';

/** What the processes of a soak suffer from at present, but for being killed. */
export interface FaultState {
  /** Share of reads and writes of the soak's files that fail with EIO. */
  readonly errorRatio: number;
  /** Each read and write of them takes so much longer. */
  readonly slowMs: number;
  /** Writes of them fail with ENOSPC. */
  readonly isFull: boolean;
  /** The wall clock is wrong by so much; no other clock is. */
  readonly clockOffsetMs: number;
}

export const NO_FAULTS: FaultState = { errorRatio: 0, slowMs: 0, isFull: false, clockOffsetMs: 0 };

/**
 * How the processes are told: the file that holds the state, the folder whose files are meant, the seed of their luck, and
 * the folder for what they hold in memory.
 */
export const FAULT_VARIABLES = {
  file: 'SLUICE_SOAK_FAULTS',
  folder: 'SLUICE_SOAK_FOLDER',
  seed: 'SLUICE_SOAK_SEED',
  memory: 'SLUICE_SOAK_MEMORY',
} as const;

/** Readers see the old state or the new. @throws what the file system says. */
export function writeFaultState(file: string, state: FaultState): void {
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}

/** No faults when there is no such file. @throws what the file system says. */
export function readFaultState(file: string, read: typeof readFileSync = readFileSync): FaultState {
  try {
    return JSON.parse(read(file, 'utf8')) as FaultState;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return NO_FAULTS;
    throw cause;
  }
}
