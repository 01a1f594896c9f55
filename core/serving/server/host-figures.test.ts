import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { HostFigures, machineReadings } from './host-figures';

interface Reading {
  readonly busyMs: number;
  readonly allMs: number;
  readonly ownMs: number;
}

function figuresOf(first: Reading): { figures: HostFigures; set: (reading: Reading) => void } {
  let present = first;
  const figures = new HostFigures({
    cpu: () => present,
    ownCpuMs: () => present.ownMs,
    processors: 2,
    availableBytes: () => 5e9,
  });
  return { figures, set: (reading) => (present = reading) };
}

const START: Reading = { busyMs: 1000, allMs: 10_000, ownMs: 400 };

/** [what, busy, all and own milliseconds since the start, ratio] */
const RATIOS: readonly (readonly [string, number, number, number, number])[] = [
  ['an idle machine', 0, 2000, 0, 0],
  ['one of two processors is used by others', 1000, 2000, 0, 0.5],
  ['this process uses one, others a half', 1500, 2000, 1000, 0.25],
  ['this process alone', 2000, 2000, 2000, 0],
  ['own time the kernel has not counted yet', 500, 2000, 620, 0],
  ['both processors are used by others', 2000, 2000, 0, 1],
  ['more busy time than time', 2100, 2000, 0, 1],
  ['too short a time to tell', 300, 499, 0, NaN],
  ['no time at all', 0, 0, 0, NaN],
  ['a processor was taken away', -500, -5000, 0, NaN],
];

describe('share of the processors that others use', () => {
  it.each(RATIOS)('%s', (_what, busyMs, allMs, ownMs, ratio) => {
    const { figures, set } = figuresOf(START);
    set({ busyMs: START.busyMs + busyMs, allMs: START.allMs + allMs, ownMs: START.ownMs + ownMs });
    expect(figures.cpuOthersRatio()).toEqual(ratio);
  });

  it('is of the time since it was read before; quick readers share a figure', () => {
    const { figures, set } = figuresOf(START);
    expect(figures.cpuOthersRatio()).toBeNaN();
    set({ busyMs: 2000, allMs: 12_000, ownMs: 400 });
    expect(figures.cpuOthersRatio()).toBe(0.5);
    set({ busyMs: 2100, allMs: 12_100, ownMs: 400 });
    expect(figures.cpuOthersRatio()).toBe(0.5);
    set({ busyMs: 2100, allMs: 14_000, ownMs: 400 });
    expect(figures.cpuOthersRatio()).toBe(0.05);
  });

  it('lies within 0 and 1 whatever is read', () => {
    const reading = fc.record({ busyMs: fc.nat(1e6), allMs: fc.nat(1e6), ownMs: fc.nat(1e6) });
    fc.assert(
      fc.property(reading, fc.array(reading), (first, readings) => {
        const { figures, set } = figuresOf(first);
        for (const next of readings) {
          set(next);
          const ratio = figures.cpuOthersRatio();
          expect(Number.isNaN(ratio) || (ratio >= 0 && ratio <= 1)).toBe(true);
        }
      }),
    );
  });
});

it('this machine tells', () => {
  const { busyMs, allMs } = machineReadings.cpu();
  expect(allMs).toBeGreaterThanOrEqual(busyMs);
  expect(machineReadings.ownCpuMs()).toBeGreaterThan(0);
  expect(machineReadings.availableBytes()).toBeGreaterThan(0);
});
