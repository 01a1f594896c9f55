import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CounterRate } from './counter-rate';
import type { DiskDevice } from './disk-device';
import type { Sampler, TelemetryClock } from './sampler';

const SECTOR_BYTES = 512;

/**
 * Throughput, queue and busy share of one disk from its `stat` (kernel documentation, block/stat): fields 3 and 7
 * sectors read and written, 10 ms the device was active, 11 ms summed over all requests. The latter's growth per
 * elapsed ms is the time-average number of requests in flight; the kernel adds a request when it completes.
 */
export function diskSampler(device: DiskDevice, clock: TelemetryClock): Sampler {
  const path = join(device.sysPath, 'stat');
  const rates = {
    read: new CounterRate(),
    written: new CounterRate(),
    active: new CounterRate(),
    queued: new CounterRate(),
  };
  return {
    name: `disk ${device.name}`,
    series: ['diskReadBytesPerSec', 'diskWriteBytesPerSec', 'diskQueue', 'diskBusyPct'],
    lookedFor: path,
    sample() {
      const text = readFileSync(path, 'latin1');
      const field = text.trim().split(/\s+/).map(Number);
      if (field.length < 11 || field.some(Number.isNaN)) {
        throw new Error(`${path}: expected at least 11 numbers, found "${text.trim()}"`);
      }
      const atMs = clock.monotonicMs();
      return Promise.resolve({
        diskReadBytesPerSec: rates.read.next((field[2] ?? NaN) * SECTOR_BYTES, atMs),
        diskWriteBytesPerSec: rates.written.next((field[6] ?? NaN) * SECTOR_BYTES, atMs),
        diskBusyPct: Math.min(100, rates.active.next(field[9] ?? NaN, atMs) / 10),
        diskQueue: rates.queued.next(field[10] ?? NaN, atMs) / 1000,
      });
    },
    reset: () => Object.values(rates).forEach((rate) => rate.reset()),
  };
}
