/** Time for those who wait; tests bring their own. */
export interface Clock {
  /** Milliseconds since the Unix epoch, never going back. */
  nowMs(): number;
  /** Calls `run` once after `delayMs` until the returned function is called. */
  after(delayMs: number, run: () => void): () => void;
}

/** Milliseconds since the Unix epoch with microsecond resolution, the same in every thread of the process; monotonic. */
export function engineClockMs(): number {
  return performance.timeOrigin + performance.now();
}

export const systemClock: Clock = {
  nowMs: engineClockMs,
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
