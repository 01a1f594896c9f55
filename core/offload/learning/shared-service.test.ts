import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SharedProcessor } from '../environment/processor-sharing';
import { SharedService } from './shared-service';

const kinds = fc.array(
  fc.record({
    arrivalMs: fc.double({ min: 0, max: 100, noNaN: true }),
    work: fc.double({ min: 0.1, max: 50, noNaN: true }),
    count: fc.integer({ min: 1, max: 4 }),
  }),
  { minLength: 1, maxLength: 6 },
);

describe('shared service', () => {
  it('is processor sharing at the pace of processor sharing, those alike taken together', () => {
    fc.assert(
      fc.property(kinds, fc.integer({ min: 1, max: 8 }), fc.nat({ max: 4 }), (all, cores, background) => {
        const jobs = all.flatMap(({ count, ...job }) => Array.from({ length: count }, () => job));
        const arrivalMs = Float64Array.from(jobs, (job) => job.arrivalMs);
        const workMs = Float64Array.from(jobs, ({ work }) => work);
        const finishMs = new Float64Array(jobs.length);
        new SharedProcessor(jobs.length).run(jobs.length, arrivalMs, workMs, cores, background, finishMs);

        const service = new SharedService(all.length);
        service.kinds = all.length;
        all.forEach((kind, index) => {
          service.arrivalMs[index] = kind.arrivalMs;
          service.work[index] = kind.work;
          service.count[index] = kind.count;
        });
        const paceMs = Float64Array.from({ length: jobs.length + 1 }, (_, running) =>
          Math.max(1, (running + background) / cores),
        );
        const sumMs = service.run(paceMs);
        expect(sumMs).toBeCloseTo(
          finishMs.reduce((sum, ms) => sum + ms, 0),
          6,
        );
        let job = 0;
        all.forEach(({ count }, index) => {
          expect(service.finishMs[index]).toBeCloseTo(finishMs[job]!, 6);
          job += count;
        });
      }),
    );
  });
});
