import { describe, expect, it } from 'vitest';
import { latencyBoundMs, type BoundLayer } from './latency-bound';

/** A byte a millisecond. */
const disk = { readBytesPerSec: 1000, cpuMsPerGB: 0, threads: 2 };
const layers = (...pairs: [computeMs: number, byteLength: number][]): BoundLayer[] =>
  pairs.map(([computeMs, byteLength]) => ({ computeMs, byteLength }));

describe('the least latency a machine allows', () => {
  it.each([
    ['all in memory', layers([5, 10], [5, 10]), 20, 10],
    ['reads hide behind computing', layers([50, 10], [50, 10]), 10, 100],
    ['reads are all there is', layers([1, 50], [1, 50]), 10, 90],
    [
      'computing first and weights last: the memory fills, the disk idles',
      layers([100, 0], [1, 100]),
      10,
      190,
    ],
    ['weights first can be read during the inference before', layers([1, 100], [100, 0]), 10, 101],
  ])('%s', (_, network, memoryBytes, expectedMs) => {
    expect(latencyBoundMs(network, { ...disk, memoryBytes })).toBeCloseTo(expectedMs, 6);
  });

  it('charges the CPU time of reads to all threads', () => {
    const machine = { memoryBytes: 0, readBytesPerSec: 1e12, cpuMsPerGB: 200, threads: 2 };
    expect(latencyBoundMs(layers([100, 1e9]), machine)).toBeCloseTo(200, 6);
  });
});
