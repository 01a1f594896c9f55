import { endTick, START_TICK, ticksPerInference, type StreamSchedule } from './schedule';

/** Times and rates a prediction is made from. */
export interface PipelineTimes {
  /** Compute time of each step, milliseconds, undisturbed. */
  readonly stepMs: Float64Array;
  readonly bytesPerMs: number;
  readonly computeSlowdown: number;
  readonly readSlowdown: number;
}

export interface SimulatedInference {
  readonly totalMs: number;
  readonly stallMs: number;
}

/** Inferences played until the ring is in its steady state. */
const INFERENCES = 3;

/**
 * Plays the executor and the readers against each other: reads one after the other as barriers allow, steps one
 * after the other as their reads are done, each slowed while the other is busy.
 * @returns the last of a few back-to-back inferences.
 */
export function simulate(schedule: StreamSchedule | undefined, times: PipelineTimes): SimulatedInference {
  if (!schedule || schedule.operations.length === 0) {
    return { totalMs: times.stepMs.reduce((sum, ms) => sum + ms, 0), stallMs: 0 };
  }
  return new Playback(schedule, times).run();
}

class Playback {
  private nowMs = 0;
  private ticks = 0;
  private inference = 0;
  private step = 0;
  private operation = 0;
  private readonly ticksEach: number;
  private readonly count: number;
  /** Work left of the running read and step, in undisturbed milliseconds; undefined: not running. */
  private readLeft: number | undefined;
  private computeLeft: number | undefined;
  private startMs = 0;
  private stallMs = 0;

  constructor(
    private readonly schedule: StreamSchedule,
    private readonly times: PipelineTimes,
  ) {
    this.ticksEach = ticksPerInference(schedule.steps);
    this.count = schedule.operations.length;
    this.ticks = START_TICK;
  }

  run(): SimulatedInference {
    let totalMs = 0;
    while (this.inference < INFERENCES) {
      this.begin();
      const isReading = this.readLeft !== undefined;
      const isComputing = this.computeLeft !== undefined;
      const readFactor = isComputing ? this.times.readSlowdown : 1;
      const computeFactor = isReading ? this.times.computeSlowdown : 1;
      const passMs = Math.min(
        this.readLeft === undefined ? Infinity : this.readLeft * readFactor,
        this.computeLeft === undefined ? Infinity : this.computeLeft * computeFactor,
      );
      if (passMs === Infinity) throw new Error('The schedule stands still.');
      this.nowMs += passMs;
      if (!isComputing) this.stallMs += passMs;
      if (this.readLeft !== undefined) this.readLeft = this.finishRead(this.readLeft - passMs / readFactor);
      if (this.computeLeft === undefined) continue;
      this.computeLeft -= passMs / computeFactor;
      if (this.computeLeft > EPSILON_MS) continue;
      this.computeLeft = undefined;
      totalMs = this.finishStep() ?? totalMs;
    }
    return { totalMs, stallMs: this.lastStallMs };
  }

  private lastStallMs = 0;

  private begin(): void {
    if (this.readLeft === undefined) {
      const operation = this.schedule.operations[this.operation % this.count];
      const round = Math.floor(this.operation / this.count);
      if (operation && this.ticks >= round * this.ticksEach + operation.barrierTick) {
        this.readLeft = operation.byteLength / this.times.bytesPerMs;
      }
    }
    if (this.computeLeft === undefined) {
      const last = this.schedule.lastOperation[this.step] ?? -1;
      const isReady = last < 0 || this.operation > this.inference * this.count + last;
      if (isReady) this.computeLeft = this.times.stepMs[this.step] ?? 0;
    }
  }

  private finishRead(left: number): number | undefined {
    if (left > EPSILON_MS) return left;
    this.operation += 1;
    return undefined;
  }

  /** @returns the latency when the step was its inference's last. */
  private finishStep(): number | undefined {
    this.ticks = this.inference * this.ticksEach + endTick(this.step);
    this.step += 1;
    if (this.step < this.schedule.steps) return undefined;
    this.step = 0;
    this.inference += 1;
    this.ticks = this.inference * this.ticksEach + START_TICK;
    const totalMs = this.nowMs - this.startMs;
    this.lastStallMs = this.stallMs;
    this.stallMs = 0;
    this.startMs = this.nowMs;
    return totalMs;
  }
}

const EPSILON_MS = 1e-9;
