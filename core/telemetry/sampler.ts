import type { TelemetrySeries } from '../contract';

export type Readings = Partial<Record<TelemetrySeries, number>>;

/** One source of figures. */
export interface Sampler {
  readonly name: string;
  /** Which series it may answer with; all of them are NaN while it is disabled. */
  readonly series: readonly TelemetrySeries[];
  /** Files, commands or calls it reads, for the person who wonders why a figure is missing. */
  readonly lookedFor: string;
  /** Least time between two calls, ms. Absent: every tick. In between the last figures stand. */
  readonly everyMs?: number;
  /**
   * Reads the figures now. A rate covers the time since the previous call and is NaN on the first.
   * @throws anything: the sampler is then disabled until sampling starts afresh.
   */
  sample(): Promise<Readings>;
  /** Forgets counters, so that the first rate after a pause does not average over the pause. */
  reset?(): void;
}

/** A sampler that can't work on this machine, and why. */
export interface MissingSampler {
  readonly name: string;
  readonly series: readonly TelemetrySeries[];
  readonly lookedFor: string;
  readonly reason: string;
}

/** Time as telemetry needs it; injected so that tests decide. */
export interface TelemetryClock {
  /** Milliseconds since the Unix epoch. */
  epochMs(): number;
  /** Milliseconds from an arbitrary point, never going back. */
  monotonicMs(): number;
  /** Calls `tick` every `intervalMs` until the returned function is called. Must not keep a process alive. */
  every(intervalMs: number, tick: () => void): () => void;
}

/** The machine's own clock. */
export const systemTelemetryClock: TelemetryClock = {
  epochMs: () => performance.timeOrigin + performance.now(),
  monotonicMs: () => performance.now(),
  every(intervalMs, tick) {
    const timer = setInterval(tick, intervalMs);
    timer.unref();
    return () => clearInterval(timer);
  },
};

/** Where the kernel's files are. Tests point these at a tree of fixtures. */
export interface HostRoots {
  readonly proc: string;
  readonly sys: string;
}

export const HOST_ROOTS: HostRoots = { proc: '/proc', sys: '/sys' };
