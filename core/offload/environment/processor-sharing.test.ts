import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SharedProcessor } from './processor-sharing';

const jobs = fc.array(
  fc.record({
    arrivalMs: fc.double({ min: 0, max: 100, noNaN: true }),
    workMs: fc.double({ min: 0.1, max: 50, noNaN: true }),
  }),
  { minLength: 1, maxLength: 12 },
);
const cores = fc.integer({ min: 1, max: 8 });
const background = fc.double({ min: 0, max: 10, noNaN: true });

type Jobs = readonly { readonly arrivalMs: number; readonly workMs: number }[];

function finishOf(all: Jobs, coreCount: number, busy: number): Float64Array {
  const finish = new Float64Array(all.length);
  const arrival = Float64Array.from(all, ({ arrivalMs }) => arrivalMs);
  const work = Float64Array.from(all, ({ workMs }) => workMs);
  new SharedProcessor(all.length).run(all.length, arrival, work, coreCount, busy, finish);
  return finish;
}

describe('processor sharing', () => {
  it('does exactly the work asked for', () => {
    fc.assert(
      fc.property(jobs, cores, background, (all, coreCount, busy) => {
        const finish = finishOf(all, coreCount, busy);
        const times = [...all.map(({ arrivalMs }) => arrivalMs), ...finish].sort((a, b) => a - b);
        let done = 0;
        for (let at = 1; at < times.length; at += 1) {
          const from = times[at - 1]!;
          const to = times[at]!;
          const middle = (from + to) / 2;
          const running = all.filter(
            ({ arrivalMs }, job) => arrivalMs <= middle && finish[job]! > middle,
          ).length;
          done += running * Math.min(1, coreCount / (running + busy)) * (to - from);
        }
        const asked = all.reduce((sum, { workMs }) => sum + workMs, 0);
        expect(done).toBeCloseTo(asked, 5);
      }),
    );
  });

  it('never ends a job sooner for another one, more background or fewer cores', () => {
    fc.assert(
      fc.property(jobs, cores, background, (all, coreCount, busy) => {
        const without = finishOf(all.slice(0, -1), coreCount, busy);
        const alone = finishOf(all, coreCount, busy);
        const busier = finishOf(all, coreCount, busy + 1);
        const more = finishOf(all, coreCount + 1, busy);
        without.forEach((ms, job) => expect(alone[job]!).toBeGreaterThanOrEqual(ms - 1e-6));
        alone.forEach((ms, job) => {
          expect(busier[job]!).toBeGreaterThanOrEqual(ms - 1e-6);
          expect(more[job]!).toBeLessThanOrEqual(ms + 1e-6);
        });
      }),
    );
  });

  it('may write the ends over the arrivals', () => {
    const arrival = Float64Array.of(5, 0, 2);
    const work = Float64Array.of(3, 4, 1);
    const apart = new Float64Array(3);
    const processor = new SharedProcessor(3);
    processor.run(3, arrival, work, 1, 0, apart);
    processor.run(3, arrival, work, 1, 0, arrival);
    expect(arrival).toEqual(apart);
  });
});
