import { Worker } from 'node:worker_threads';
import { setTimeout as sleep } from 'node:timers/promises';
import { engineClockMs } from '../../base';
import type { Engine } from '../../layering';
import type { DiskMeasurement } from './side-protocol';

const CHUNK_BYTES = 1 << 20;
const RATE_SAMPLE_BYTES = 128 << 20;
/** Long beside a scheduler's time slice. */
const COST_SAMPLE_BYTES = 768 << 20;
const UNDISTURBED_MS = 300;

/** Arithmetic on registers alone: reads can slow it only by taking the CPU. */
const BUSY_THREAD = `
  const { workerData } = require('node:worker_threads');
  const { counters, at } = workerData;
  let value = 1;
  while (Atomics.load(counters, 0) === 0) {
    for (let turn = 0; turn < 20000; turn += 1) value = (Math.imul(value, 1664525) + 1013904223) | 0;
    Atomics.add(counters, at, 1);
  }
`;

/**
 * Reads a file directly, first alone and then beside threads that do nothing but arithmetic.
 * @param threads compute threads of the engine.
 */
export async function measureDisk(engine: Engine, path: string, threads: number): Promise<DiskMeasurement> {
  const read = (totalBytes: number): Promise<number> =>
    engine.measureReads(path, { chunkBytes: CHUNK_BYTES, totalBytes });
  const readBytesPerSec = await read(RATE_SAMPLE_BYTES);
  const busy = new BusyThreads(threads);
  try {
    const alone = await busy.speedDuring(() => sleep(UNDISTURBED_MS));
    const beside = await busy.speedDuring(() => read(COST_SAMPLE_BYTES));
    const lostMs = Math.max(0, 1 - beside.perMs / alone.perMs) * threads * beside.durationMs;
    return { readBytesPerSec, cpuMsPerGB: lostMs / (COST_SAMPLE_BYTES / 1e9) };
  } finally {
    await busy.end();
  }
}

class BusyThreads {
  private readonly counters: Int32Array;
  private readonly workers: readonly Worker[];

  constructor(threads: number) {
    this.counters = new Int32Array(new SharedArrayBuffer(4 * (threads + 1)));
    this.workers = Array.from({ length: threads }, (_, index) => {
      return new Worker(BUSY_THREAD, { eval: true, workerData: { counters: this.counters, at: index + 1 } });
    });
  }

  /** Turns a millisecond of all threads together, while something else goes on. */
  async speedDuring(work: () => Promise<unknown>): Promise<{ perMs: number; durationMs: number }> {
    while (this.counters.subarray(1).some((turns) => turns === 0)) await sleep(1);
    const [startMs, startTurns] = [engineClockMs(), this.turns()];
    await work();
    const durationMs = engineClockMs() - startMs;
    return { perMs: (this.turns() - startTurns) / durationMs, durationMs };
  }

  async end(): Promise<void> {
    Atomics.store(this.counters, 0, 1);
    await Promise.all(this.workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve))));
  }

  private turns(): number {
    return this.counters.subarray(1).reduce((sum, turns) => sum + turns, 0);
  }
}
