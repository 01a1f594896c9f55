import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SluiceError } from '../contract';
import {
  scheduleStream,
  ticksPerInference,
  type Piece,
  type ScheduleShape,
  type StreamSchedule,
} from './schedule';

const PAGE = 4096;

/** Random pieces: 1-3 per step, some steps without weights, some gaps in the file. */
const streams = fc
  .array(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 0, maxLength: 3 }), {
    minLength: 1,
    maxLength: 40,
  })
  .chain((steps) => fc.tuple(fc.constant(steps), fc.array(fc.boolean(), { minLength: 120, maxLength: 120 })))
  .map(([steps, gaps]) => {
    let fileOffset = 0;
    const pieces: Piece[] = [];
    steps.forEach((sizes, step) => {
      for (const pages of sizes) {
        if (gaps[pieces.length]) fileOffset += 7 * PAGE;
        pieces.push({ step, fileOffset, byteLength: pages * PAGE });
        fileOffset += pages * PAGE;
      }
    });
    return { pieces, steps: steps.length };
  });

const modes = fc.constantFrom<ScheduleShape['mode']>('sequential', 'sync', 'async');

/**
 * Plays a schedule for some inferences with a reader that does operations in order as barriers allow and a compute
 * side that runs steps in order when their reads are done, checking every byte each step sees.
 */
function play(schedule: StreamSchedule, pieces: readonly Piece[], inferences: number): void {
  const ring = new Float64Array(schedule.ringBytes / PAGE).fill(-1);
  const ticksEach = ticksPerInference(schedule.steps);
  const count = schedule.operations.length;
  let next = 0;
  let ticks = 0;
  const pump = (): void => {
    for (; count > 0; next += 1) {
      const inference = Math.floor(next / count);
      const operation = schedule.operations[next % count];
      if (!operation || inference > inferences || ticks < inference * ticksEach + operation.barrierTick)
        return;
      for (let at = 0; at < operation.byteLength; at += PAGE) {
        ring[(operation.ringOffset + at) / PAGE] = operation.fileOffset + at;
      }
    }
  };
  for (let inference = 0; inference < inferences; inference += 1) {
    ticks = inference * ticksEach + 1;
    for (let step = 0; step < schedule.steps; step += 1) {
      pump();
      const last = schedule.lastOperation[step] ?? -1;
      if (last >= 0) expect(next, `step ${step} can start`).toBeGreaterThan(inference * count + last);
      pieces.forEach((piece, index) => {
        if (piece.step !== step) return;
        for (let at = 0; at < piece.byteLength; at += PAGE) {
          expect(ring[((schedule.ringOffsets[index] ?? 0) + at) / PAGE]).toBe(piece.fileOffset + at);
        }
      });
      ticks += 1;
    }
  }
}

describe('scheduleStream', () => {
  it('never deadlocks and never overwrites bytes in use, for any layer sizes, budget, chunk and mode', () => {
    fc.assert(
      fc.property(
        streams,
        modes,
        fc.integer({ min: 1, max: 400 }),
        fc.integer({ min: 1, max: 64 }),
        ({ pieces, steps }, mode, ringPages, chunkPages) => {
          let schedule: StreamSchedule;
          try {
            schedule = scheduleStream(pieces, {
              mode,
              steps,
              ringBytes: ringPages * PAGE,
              chunkBytes: chunkPages * PAGE,
            });
          } catch (error) {
            expect(error).toBeInstanceOf(SluiceError);
            expect((error as SluiceError).code).toBe('budget-too-small');
            return;
          }
          play(schedule, pieces, 3);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('always finds a schedule when the ring holds twice the largest step', () => {
    fc.assert(
      fc.property(streams, modes, ({ pieces, steps }, mode) => {
        const stepBytes = new Map<number, number>();
        for (const piece of pieces)
          stepBytes.set(piece.step, (stepBytes.get(piece.step) ?? 0) + piece.byteLength);
        const ringBytes = 2 * Math.max(PAGE, ...stepBytes.values());
        play(scheduleStream(pieces, { mode, steps, ringBytes, chunkBytes: 16 * PAGE }), pieces, 2);
      }),
    );
  });

  it('reads ahead into the next inference in async mode only', () => {
    const pieces = [0, 1, 2].map((step) => ({ step, fileOffset: step * PAGE, byteLength: PAGE }));
    const shape = { steps: 3, ringBytes: 8 * PAGE, chunkBytes: PAGE };
    expect(
      scheduleStream(pieces, { ...shape, mode: 'async' }).operations[0]?.barrierTick,
    ).toBeLessThanOrEqual(0);
    expect(scheduleStream(pieces, { ...shape, mode: 'sync' }).operations[0]?.barrierTick).toBe(1);
  });

  it('names the bytes needed when a step does not fit', () => {
    const pieces = [{ step: 0, fileOffset: 0, byteLength: 3 * PAGE }];
    expect(() =>
      scheduleStream(pieces, { mode: 'async', steps: 1, ringBytes: 2 * PAGE, chunkBytes: PAGE }),
    ).toThrow(/12288 bytes at once/);
  });
});
