/** Milliseconds since the Unix epoch with microsecond resolution, the same in every thread of the process; monotonic. */
export function engineClockMs(): number {
  return performance.timeOrigin + performance.now();
}
