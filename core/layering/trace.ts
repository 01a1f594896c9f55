import { engineClockMs } from '../base';

/** When one inference waited and computed, per step; milliseconds of the engine clock. */
export class StepTimes {
  startMs = 0;
  endMs = 0;
  /** [step][0 wait start, 1 compute start, 2 compute end] */
  readonly steps: Float64Array;

  constructor(count: number) {
    this.steps = new Float64Array(3 * count);
  }

  start(): void {
    this.startMs = engineClockMs();
  }

  waitFrom(step: number): void {
    this.steps[3 * step] = engineClockMs();
  }

  computeFrom(step: number): void {
    this.steps[3 * step + 1] = engineClockMs();
  }

  endAt(step: number): void {
    this.steps[3 * step + 2] = engineClockMs();
  }

  finish(): void {
    this.endMs = engineClockMs();
  }
}

/** Everything that was measured about one inference. */
export interface InferenceTimes {
  readonly startMs: number;
  readonly totalMs: number;
  /** Time the compute side waited for reads. */
  readonly stallMs: number;
  /** As in `StepTimes.steps`. */
  readonly steps: Float64Array;
  /** Start and end of each ring read, [operation][0 start, 1 end]; before `startMs` for what was read ahead. */
  readonly reads: Float64Array;
}

/** @param reads [operation][0 start, 1 end], kept as it is: the caller gives it away. */
export function summarise(times: StepTimes, reads: Float64Array): InferenceTimes {
  let stallMs = 0;
  for (let at = 0; at < times.steps.length; at += 3)
    stallMs += (times.steps[at + 1] ?? 0) - (times.steps[at] ?? 0);
  return { startMs: times.startMs, totalMs: times.endMs - times.startMs, stallMs, steps: times.steps, reads };
}
