import { describe, expect, it } from 'vitest';
import { scheduleStream, type ScheduleShape } from './schedule';
import { simulate } from './simulate';

const PAGE = 4096;

/** Steps with one page each, a ring of some pages; reading a page takes `readMs`, a step `computeMs`. */
function play(settings: {
  mode: ScheduleShape['mode'];
  steps: number;
  ringPages: number;
  readMs: number;
  computeMs: number;
  computeSlowdown?: number;
  readSlowdown?: number;
  readLatencyMs?: number;
}) {
  const {
    mode,
    steps,
    ringPages,
    readMs,
    computeMs,
    computeSlowdown = 1,
    readSlowdown = 1,
    readLatencyMs = 0,
  } = settings;
  const pieces = Array.from({ length: steps }, (_, step) => ({
    step,
    fileOffset: step * PAGE,
    byteLength: PAGE,
  }));
  const schedule = scheduleStream(pieces, { mode, steps, ringBytes: ringPages * PAGE, chunkBytes: PAGE });
  const stepMs = new Float64Array(steps).fill(computeMs);
  const rate = PAGE / readMs;
  const disk = { readers: 1, bytesPerMs: rate, readerBytesPerMs: rate, readLatencyMs };
  return simulate(schedule, { stepMs, ...disk, computeSlowdown, readSlowdown });
}

describe('simulate', () => {
  it('without reads is the sum of the steps', () => {
    const disk = { readers: 1, bytesPerMs: 1, readerBytesPerMs: 1, readLatencyMs: 1 };
    const times = { stepMs: Float64Array.of(1, 2, 3), ...disk, computeSlowdown: 2, readSlowdown: 2 };
    expect(simulate(undefined, times)).toEqual({ totalMs: 6, stallMs: 0 });
  });

  it.each([
    // Read, compute, read, compute.
    ['sequential', { mode: 'sequential', steps: 2, ringPages: 1, readMs: 10, computeMs: 5 }, 30, 20],
    [
      'sequential, reads that take a moment to begin',
      { mode: 'sequential', steps: 2, ringPages: 1, readMs: 10, computeMs: 5, readLatencyMs: 1 },
      32,
      22,
    ],
    // Reads end at 10, 20, 30; steps at 15, 25, 35.
    ['sync, reads the longer', { mode: 'sync', steps: 3, ringPages: 2, readMs: 10, computeMs: 5 }, 35, 20],
    // Reads end at 5, 10, 20 (the third waits for the first step, to 15); steps at 15, 25, 35.
    ['sync, steps the longer', { mode: 'sync', steps: 3, ringPages: 2, readMs: 5, computeMs: 10 }, 35, 5],
    // The disk never rests.
    ['async, reads the longer', { mode: 'async', steps: 3, ringPages: 3, readMs: 10, computeMs: 5 }, 30, 15],
    // Reads hide behind steps, those of the next inference too.
    ['async, steps the longer', { mode: 'async', steps: 3, ringPages: 3, readMs: 2, computeMs: 5 }, 15, 0],
    // One page of ring: nothing overlaps.
    ['async, no room', { mode: 'async', steps: 2, ringPages: 1, readMs: 10, computeMs: 5 }, 30, 20],
    // 6 ms of reads in which steps run at half speed, then 12 ms of undisturbed steps.
    [
      'async, reads slow steps down',
      { mode: 'async', steps: 3, ringPages: 3, readMs: 2, computeMs: 5, computeSlowdown: 2 },
      18,
      0,
    ],
    // 15 ms of steps let 7.5 ms of reads pass; the other 22.5 ms pass undisturbed.
    [
      'async, steps slow reads down',
      { mode: 'async', steps: 3, ringPages: 3, readMs: 10, computeMs: 5, readSlowdown: 2 },
      37.5,
      22.5,
    ],
  ] as const)('%s', (_, settings, totalMs, stallMs) => {
    const played = play(settings);
    expect(played.totalMs).toBeCloseTo(totalMs, 6);
    expect(played.stallMs).toBeCloseTo(stallMs, 6);
  });

  it('lets readers share the disk, each no faster than it is alone', () => {
    const pieces = [0, 1].map((step) => ({ step, fileOffset: step * PAGE, byteLength: PAGE }));
    const shape = { mode: 'sync', steps: 2, ringBytes: 2 * PAGE, chunkBytes: PAGE } as const;
    const schedule = scheduleStream(pieces, shape);
    const stepMs = Float64Array.of(5, 5);
    const alone = {
      stepMs,
      readerBytesPerMs: PAGE / 10,
      readLatencyMs: 0,
      computeSlowdown: 1,
      readSlowdown: 1,
    };
    // Both pages come at 10 when the disk is fast enough for two readers, at 16 when it gives them a page in 8.
    expect(simulate(schedule, { ...alone, readers: 2, bytesPerMs: PAGE }).totalMs).toBeCloseTo(20, 6);
    expect(simulate(schedule, { ...alone, readers: 2, bytesPerMs: PAGE / 8 }).totalMs).toBeCloseTo(26, 6);
    expect(simulate(schedule, { ...alone, readers: 1, bytesPerMs: PAGE }).totalMs).toBeCloseTo(25, 6);
  });
});
