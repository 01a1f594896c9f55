import { constants } from 'node:os';

/** What `waitpid` gives of a process that a signal ended: the signal's number, and whether there is a core. */
const SIGNAL_BITS = 0x7f;

/**
 * The signal in what Chromium tells of a helper that is gone; undefined when none ended it.
 * @param exitCode the status that `waitpid` gave, or Windows' exit code.
 */
export function signalOf(exitCode: number, platform: NodeJS.Platform): string | undefined {
  if (platform === 'win32') return undefined;
  const number = exitCode & SIGNAL_BITS;
  return Object.entries(constants.signals).find(([, each]) => each === number)?.[0];
}
