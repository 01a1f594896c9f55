import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRateOf, ringFigures, type RingProfile, type StoreProfile } from './profile-file';
import { computeSlowdown, readSlowdown } from './profile-fit';

const ring = (mebibytes: number, readBytesPerSec: number): RingProfile => ({
  ringBytes: mebibytes << 20,
  readBytesPerSec,
  readerBytesPerSec: readBytesPerSec,
  readLatencyMs: 0.1,
  computeSlowdown: 1.2,
  readSlowdown: 1,
  correction: 1,
});

function profileOf(...rings: RingProfile[]): StoreProfile {
  return { format: 3, threads: 2, readers: 2, layerMs: [], stepMs: 0, rings };
}

describe('figures for a ring', () => {
  const profile = profileOf(ring(1, 4e9), ring(4, 1e9), ring(16, 2e9));

  it.each([
    ['below the least', 0.5, 4e9],
    ['measured', 4, 1e9],
    ['half way by ratio', 2, 2e9],
    ['half way by ratio, upwards', 8, Math.SQRT2 * 1e9],
    ['beyond the largest', 100, 2e9],
  ])('%s', (_, mebibytes, expected) => {
    const figures = ringFigures(profile, mebibytes * 2 ** 20);
    expect(figures.readBytesPerSec).toBeCloseTo(expected, -3);
    expect(figures.computeSlowdown).toBeCloseTo(1.2, 9);
  });

  it('are those of the only one where there is one', () => {
    for (const mebibytes of [1, 8, 64]) {
      expect(ringFigures(profileOf(ring(8, 3e9)), mebibytes << 20).readBytesPerSec).toBe(3e9);
    }
  });

  it('tell the best rate as the disk’s', () => {
    expect(readRateOf(profile)).toBe(4e9);
  });
});

describe('slowdown', () => {
  it('is found again from what it made of a run', () => {
    const numbers = { expectedMs: fc.double({ min: 1, max: 500, noNaN: true }) };
    const share = fc.double({ min: 0.1, max: 1, noNaN: true });
    const factor = fc.double({ min: 0.75, max: 2.9, noNaN: true });
    fc.assert(
      fc.property(numbers.expectedMs, share, factor, (expectedMs, overlap, slowdown) => {
        const computeMs = expectedMs * (1 + overlap * (slowdown - 1));
        const found = computeSlowdown({ computeMs, readMs: 0, bothMs: overlap * computeMs }, expectedMs);
        expect(found).toBeCloseTo(slowdown, 6);
      }),
    );
  });

  it.each([
    ['nothing overlapped', { computeMs: 50, readMs: 10, bothMs: 0 }, 10, 1, 1],
    ['reads doubled beside computing', { computeMs: 50, readMs: 20, bothMs: 20 }, 10, 1, 2],
    ['reads are never quicker than alone', { computeMs: 50, readMs: 20, bothMs: 20 }, 40, 1, 1],
    ['what is not believable is cut off', { computeMs: 500, readMs: 500, bothMs: 500 }, 10, 3, 3],
  ])('%s', (_, overlap, readMs, compute, read) => {
    const expectedMs = overlap.computeMs === 500 ? 10 : overlap.computeMs;
    expect(computeSlowdown(overlap, expectedMs)).toBeCloseTo(compute, 9);
    expect(readSlowdown(overlap, readMs)).toBeCloseTo(read, 9);
  });
});
