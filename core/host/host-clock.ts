import { engineClockMs } from '../base';
import { SluiceError } from '../contract';

/** Time as the host needs it; tests bring their own. */
export interface HostClock {
  /** Milliseconds since the Unix epoch, never going back. */
  nowMs(): number;
  /** Calls `run` once after `delayMs` until the returned function is called. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: HostClock = {
  nowMs: engineClockMs,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

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
