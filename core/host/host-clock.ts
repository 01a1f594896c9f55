import type { Clock } from '../base';
import { SluiceError } from '../contract';

export { systemClock } from '../base';
/** Time as the host needs it. */
export type HostClock = Clock;

export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/**
 * Resolves at `atMs` of the clock, or at once when that is past.
 * @throws SluiceError `cancelled` as soon as the signal aborts.
 */
export function sleepUntil(clock: HostClock, atMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      stop();
      reject(new SluiceError('cancelled', 'The run was stopped.'));
    };
    const stop = clock.after(Math.max(0, atMs - clock.nowMs()), () => {
      signal.removeEventListener('abort', cancel);
      resolve();
    });
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
  });
}
