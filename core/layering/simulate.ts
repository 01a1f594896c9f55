import { endTick, START_TICK, ticksPerInference, type StreamSchedule } from './schedule';

/** Times and rates a prediction is made from. */
export interface PipelineTimes {
  /** Compute time of each step, milliseconds, undisturbed. */
  readonly stepMs: Float64Array;
  readonly readers: number;
  /** Bytes per millisecond: of all readers together, and at most of one. */
  readonly bytesPerMs: number;
  readonly readerBytesPerMs: number;
  /** Before the first byte of a read comes. */
  readonly readLatencyMs: number;
  readonly computeSlowdown: number;
  readonly readSlowdown: number;
}

export interface SimulatedInference {
  readonly totalMs: number;
  readonly stallMs: number;
}

/** Inferences played until the ring is in its steady state. */
const INFERENCES = 3;
const EPSILON = 1e-9;

/**
 * Plays the executor and the readers against each other as they really run: reader r does operations r, r + R, ... in
 * order as barriers allow, all sharing the disk's rate; steps come one after the other as their reads are done; each
 * side is slowed while the other is busy.
 * @returns the last of a few back-to-back inferences.
 */
export function simulate(schedule: StreamSchedule | undefined, times: PipelineTimes): SimulatedInference {
  if (!schedule || schedule.operations.length === 0) {
    return { totalMs: times.stepMs.reduce((sum, ms) => sum + ms, 0), stallMs: 0 };
  }
  return new Playback(schedule, times).run();
}

/** A read under way. */
interface RunningRead {
  latencyMs: number;
  bytes: number;
}

class Playback {
  private nowMs = 0;
  private ticks = START_TICK;
  private inference = 0;
  private step = 0;
  private readonly ticksEach: number;
  private readonly count: number;
  /** Running number of the next operation of each reader, and what it reads now. */
  private readonly next: number[];
  private readonly running: (RunningRead | undefined)[];
  private computeLeftMs: number | undefined;
  private startMs = 0;
  private stallMs = 0;
  private last: SimulatedInference = { totalMs: 0, stallMs: 0 };

  constructor(
    private readonly schedule: StreamSchedule,
    private readonly times: PipelineTimes,
  ) {
    this.ticksEach = ticksPerInference(schedule.steps);
    this.count = schedule.operations.length;
    this.next = Array.from({ length: times.readers }, (_, reader) => reader);
    this.running = this.next.map(() => undefined);
  }

  run(): SimulatedInference {
    while (this.inference < INFERENCES) {
      this.beginReads();
      this.beginStep();
      this.pass();
    }
    return this.last;
  }

  private beginReads(): void {
    for (let reader = 0; reader < this.next.length; reader += 1) {
      if (this.running[reader]) continue;
      const running = this.next[reader] ?? 0;
      const round = Math.floor(running / this.count);
      const operation = this.schedule.operations[running - round * this.count];
      if (!operation || this.ticks < round * this.ticksEach + operation.barrierTick) continue;
      this.running[reader] = { latencyMs: this.times.readLatencyMs, bytes: operation.byteLength };
    }
  }

  private beginStep(): void {
    if (this.computeLeftMs !== undefined) return;
    const last = this.schedule.lastOperation[this.step] ?? -1;
    if (last >= 0 && !this.isRead(this.inference * this.count + last)) return;
    this.computeLeftMs = this.times.stepMs[this.step] ?? 0;
  }

  /** Whether an operation and all before it are done. */
  private isRead(operation: number): boolean {
    return this.next.every((running) => running > operation);
  }

  /** Lets time go on to the next moment something ends. */
  private pass(): void {
    const { readSlowdown, computeSlowdown } = this.times;
    const active = this.running.filter((read) => read !== undefined).length;
    const isComputing = this.computeLeftMs !== undefined;
    const readFactor = isComputing ? readSlowdown : 1;
    const computeFactor = active > 0 ? computeSlowdown : 1;
    const rate =
      Math.min(this.times.readerBytesPerMs, this.times.bytesPerMs / Math.max(1, active)) / readFactor;
    let passMs = (this.computeLeftMs ?? Infinity) * computeFactor;
    for (const read of this.running) {
      if (read) passMs = Math.min(passMs, read.latencyMs > 0 ? read.latencyMs : read.bytes / rate);
    }
    if (passMs === Infinity) throw new Error('The schedule stands still.');
    this.nowMs += passMs;
    if (!isComputing) this.stallMs += passMs;
    this.running.forEach((read, reader) => {
      if (read) this.progress(read, reader, passMs, rate);
    });
    if (this.computeLeftMs === undefined) return;
    this.computeLeftMs -= passMs / computeFactor;
    if (this.computeLeftMs <= EPSILON) this.finishStep();
  }

  private progress(read: RunningRead, reader: number, passMs: number, rate: number): void {
    if (read.latencyMs > 0) {
      read.latencyMs = read.latencyMs - passMs > EPSILON ? read.latencyMs - passMs : 0;
      return;
    }
    read.bytes -= passMs * rate;
    if (read.bytes > EPSILON * rate) return;
    this.running[reader] = undefined;
    this.next[reader] = (this.next[reader] ?? 0) + this.next.length;
  }

  private finishStep(): void {
    this.computeLeftMs = undefined;
    this.ticks = this.inference * this.ticksEach + endTick(this.step);
    this.step += 1;
    if (this.step < this.schedule.steps) return;
    this.step = 0;
    this.inference += 1;
    this.ticks = this.inference * this.ticksEach + START_TICK;
    this.last = { totalMs: this.nowMs - this.startMs, stallMs: this.stallMs };
    this.stallMs = 0;
    this.startMs = this.nowMs;
  }
}
