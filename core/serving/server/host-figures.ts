import { cpus, freemem } from 'node:os';

/** CPU time so far, in milliseconds, summed over processors. */
export interface CpuTimes {
  readonly busyMs: number;
  /** Busy or not. */
  readonly allMs: number;
}

/** What the machine tells, replaceable in tests. */
export interface HostReadings {
  /** Of every processor together. */
  cpu(): CpuTimes;
  /** CPU time of this process's threads so far. */
  ownCpuMs(): number;
  readonly processors: number;
  availableBytes(): number;
}

export const machineReadings: HostReadings = {
  cpu() {
    let busyMs = 0;
    let allMs = 0;
    for (const { times } of cpus()) {
      const busy = times.user + times.nice + times.sys + times.irq;
      busyMs += busy;
      allMs += busy + times.idle;
    }
    return { busyMs, allMs };
  },
  ownCpuMs() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  processors: Math.max(1, cpus().length),
  // On Linux this is MemAvailable since libuv 1.45, which every Node that runs the server has.
  availableBytes: freemem,
};

/** The kernel counts in ticks of 10 ms: over less time than this the share would be noise. */
const SHORTEST_WINDOW_MS = 250;

/** What a client may want to know of the machine before it sends work there. */
export class HostFigures {
  private before: CpuTimes & { readonly ownMs: number };
  private ratio = NaN;

  constructor(private readonly readings: HostReadings) {
    this.before = this.read();
  }

  /**
   * Share of the processors' time that other processes used since it was read before, 0..1; NaN until there is a first
   * figure. Readers in quick succession get the same one.
   */
  cpuOthersRatio(): number {
    const now = this.read();
    const allMs = now.allMs - this.before.allMs;
    // Hot-plugged processors take their time along.
    if (allMs < 0) this.before = now;
    if (allMs < SHORTEST_WINDOW_MS * this.readings.processors) return this.ratio;
    const othersMs = now.busyMs - this.before.busyMs - (now.ownMs - this.before.ownMs);
    this.ratio = Math.min(1, Math.max(0, othersMs / allMs));
    this.before = now;
    return this.ratio;
  }

  availableBytes(): number {
    return this.readings.availableBytes();
  }

  private read(): CpuTimes & { readonly ownMs: number } {
    return { ...this.readings.cpu(), ownMs: this.readings.ownCpuMs() };
  }
}
