import { cpus, freemem, totalmem } from 'node:os';
import type { Systeminformation } from 'systeminformation';
import { CounterRate } from './counter-rate';
import type { ProcessUsage } from './linux-host';
import type { Readings, Sampler, TelemetryClock } from './sampler';

/*
 * Where there is no /proc. systeminformation starts processes for some figures, so those are asked for once a second
 * and run beside the tick.
 */

/** CPU use of the whole machine from the per-core times Node reports. */
export function portableCpuSampler(): Sampler {
  let before: { busy: number; all: number } | undefined;
  return {
    name: 'cpu',
    series: ['cpuPct'],
    lookedFor: 'os.cpus()',
    sample() {
      const now = { busy: 0, all: 0 };
      for (const { times } of cpus()) {
        const busy = times.user + times.nice + times.sys + times.irq;
        now.busy += busy;
        now.all += busy + times.idle;
      }
      const all = now.all - (before?.all ?? NaN);
      const busy = now.busy - (before?.busy ?? NaN);
      before = now;
      return Promise.resolve({ cpuPct: all > 0 ? (100 * busy) / all : NaN });
    },
    reset() {
      before = undefined;
    },
  };
}

/** Memory in use. macOS counts its file cache as used in the plain figure, so systeminformation is asked there. */
export function portableMemorySampler(platform: NodeJS.Platform): Sampler {
  const plain = async (): Promise<Readings> => ({
    memTotalBytes: totalmem(),
    memUsedBytes: totalmem() - freemem(),
  });
  const asked = async (): Promise<Readings> => {
    const { mem } = await import('systeminformation');
    const { total, available } = await mem();
    return { memTotalBytes: total, memUsedBytes: total - available };
  };
  const viaProcess = platform === 'darwin';
  return {
    name: 'memory',
    series: ['memUsedBytes', 'memTotalBytes'],
    lookedFor: viaProcess ? 'systeminformation mem()' : 'os.freemem()',
    ...(viaProcess ? { everyMs: 1000 } : {}),
    sample: viaProcess ? asked : plain,
  };
}

/** The engine process: CPU and resident size. Anonymous memory is a Linux figure. */
export function portableEngineSampler(clock: TelemetryClock, usage: ProcessUsage): Sampler {
  const cpuUsPerSec = new CounterRate();
  return {
    name: 'engine',
    series: ['engineCpuPct', 'engineRssBytes'],
    lookedFor: 'process.cpuUsage(), process.memoryUsage.rss()',
    sample() {
      return Promise.resolve({
        engineCpuPct: cpuUsPerSec.next(usage.cpuUs(), clock.monotonicMs()) / 1e4,
        engineRssBytes: process.memoryUsage.rss(),
      });
    },
    reset: () => cpuUsPerSec.reset(),
  };
}

/** Throughput over all disks of the machine. */
export function portableDiskSampler(): Sampler {
  return {
    name: 'disks',
    series: ['diskReadBytesPerSec', 'diskWriteBytesPerSec'],
    lookedFor: 'systeminformation fsStats()',
    everyMs: 1000,
    sample: async () => {
      const { fsStats } = await import('systeminformation');
      return ratesOf(await fsStats());
    },
  };
}

/** `fsStats` answers null on systems it does not know, whatever its types say. */
function ratesOf(stats: Systeminformation.FsStatsData | null): Readings {
  return { diskReadBytesPerSec: stats?.rx_sec ?? NaN, diskWriteBytesPerSec: stats?.wx_sec ?? NaN };
}
