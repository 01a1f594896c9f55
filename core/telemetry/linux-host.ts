import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CounterRate } from './counter-rate';
import type { HostRoots, Sampler, TelemetryClock } from './sampler';

/*
 * Files under /proc and /sys are made by the kernel when read: some ten microseconds each. They are read
 * synchronously because an asynchronous read would queue behind weight reads in libuv's thread pool.
 */

/** CPU use of the whole machine from `/proc/stat` (proc_stat(5)): 1 - (idle + iowait) / all, over the interval. */
export function cpuSampler(roots: HostRoots): Sampler {
  const path = join(roots.proc, 'stat');
  let before: { busy: number; all: number } | undefined;
  return {
    name: 'cpu',
    series: ['cpuPct'],
    lookedFor: path,
    sample() {
      const now = parseCpuLine(readFileSync(path, 'latin1'), path);
      const all = now.all - (before?.all ?? NaN);
      const busy = now.busy - (before?.busy ?? NaN);
      before = now;
      return Promise.resolve({ cpuPct: all > 0 ? Math.min(100, Math.max(0, (100 * busy) / all)) : NaN });
    },
    reset() {
      before = undefined;
    },
  };
}

function parseCpuLine(text: string, path: string): { busy: number; all: number } {
  const line = text.slice(0, text.indexOf('\n') + 1 || text.length);
  const fields = line.trim().split(/\s+/);
  // user nice system idle iowait irq softirq steal; guest time is already inside user.
  const ticks = fields.slice(1, 9).map(Number);
  if (fields[0] !== 'cpu' || ticks.length < 4 || ticks.some(Number.isNaN)) {
    throw new Error(`${path}: expected a first line "cpu user nice system idle ...", found "${line.trim()}"`);
  }
  const all = ticks.reduce((sum, tick) => sum + tick, 0);
  return { busy: all - (ticks[3] ?? 0) - (ticks[4] ?? 0), all };
}

/** Memory in use (total - available) from `/proc/meminfo`. */
export function memorySampler(roots: HostRoots): Sampler {
  const path = join(roots.proc, 'meminfo');
  return {
    name: 'memory',
    series: ['memUsedBytes', 'memTotalBytes'],
    lookedFor: path,
    sample() {
      const text = readFileSync(path, 'latin1');
      const total = kibField(text, 'MemTotal', path);
      return Promise.resolve({
        memTotalBytes: total,
        memUsedBytes: total - kibField(text, 'MemAvailable', path),
      });
    },
  };
}

/** The process figures Node gives, replaceable in tests. */
export interface ProcessUsage {
  /** CPU time of all its threads so far, microseconds. */
  cpuUs(): number;
}

export const ownProcessUsage: ProcessUsage = {
  cpuUs() {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
};

/** The engine process itself: CPU (100 = one core), resident and anonymous memory from `/proc/self/status`. */
export function engineSampler(roots: HostRoots, clock: TelemetryClock, usage = ownProcessUsage): Sampler {
  const path = join(roots.proc, 'self', 'status');
  const cpuUsPerSec = new CounterRate();
  return {
    name: 'engine',
    series: ['engineCpuPct', 'engineRssBytes', 'engineAnonBytes'],
    lookedFor: path,
    sample() {
      const text = readFileSync(path, 'latin1');
      return Promise.resolve({
        engineCpuPct: cpuUsPerSec.next(usage.cpuUs(), clock.monotonicMs()) / 1e4,
        engineRssBytes: kibField(text, 'VmRSS', path),
        engineAnonBytes: kibField(text, 'RssAnon', path),
      });
    },
    reset: () => cpuUsPerSec.reset(),
  };
}

/** Bytes the engine made the disk deliver: `read_bytes` of `/proc/self/io` (proc_pid_io(5)), page-cache hits excluded. */
export function engineIoSampler(roots: HostRoots, clock: TelemetryClock): Sampler {
  const path = join(roots.proc, 'self', 'io');
  const bytesPerSec = new CounterRate();
  return {
    name: 'engine reads',
    series: ['engineReadBytesPerSec'],
    lookedFor: `${path} (read_bytes; needs a kernel with task I/O accounting)`,
    sample() {
      const match = /^read_bytes:\s*(\d+)$/m.exec(readFileSync(path, 'latin1'));
      if (!match) throw new Error(`${path}: expected a line "read_bytes: N", found none`);
      return Promise.resolve({
        engineReadBytesPerSec: bytesPerSec.next(Number(match[1]), clock.monotonicMs()),
      });
    },
    reset: () => bytesPerSec.reset(),
  };
}

function kibField(text: string, key: string, path: string): number {
  const match = new RegExp(`^${key}:\\s*(\\d+) kB$`, 'm').exec(text);
  if (!match) throw new Error(`${path}: expected a line "${key}: N kB", found none`);
  return Number(match[1]) * 1024;
}
