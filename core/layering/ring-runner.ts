import { Slot, type ReaderPool } from '../storage';
import { endTick, START_TICK, ticksPerInference } from './schedule';
import { summarise, type InferenceTimes, type StepTimes } from './trace';
import { waitForReads, type RingStream, type WeightMemory } from './weight-memory';

/** Counters are 32 bits; the stream starts anew long before they wrap. */
const MAX_TICKS = 2 ** 30;

/** Drives the ring's clock: tells the readers how far execution is, and waits for what a step needs. */
export class RingRunner {
  private inference = 0;
  private ring: RingStream | undefined;
  private isAbandoned = false;

  constructor(
    private readonly pool: ReaderPool,
    private readonly memory: WeightMemory,
    private readonly steps: number,
    private readonly layerAt: (fileOffset: number) => string,
  ) {
    this.ring = memory.ring;
  }

  start(): void {
    this.tick(this.inference * ticksPerInference(this.steps) + START_TICK);
  }

  /**
   * @param ahead of so many inferences after the present one, for who takes weights before the step before has ended.
   * @throws SluiceError `io`, `cancelled`.
   */
  waitForStep(step: number, isCancelled: () => boolean, ahead = 0): void {
    const { ring } = this;
    const last = ring?.schedule.lastOperation[step] ?? -1;
    if (!ring || last < 0) return;
    const operation = (this.inference + ahead) * ring.schedule.operations.length + last;
    waitForReads(ring.handle.table, this.pool.readers, operation, this.layerAt, isCancelled);
  }

  finishStep(step: number): void {
    this.tick(this.inference * ticksPerInference(this.steps) + endTick(step));
    if (step === this.steps - 1) this.inference += 1;
  }

  /**
   * After a failed or cancelled inference. Its remaining reads may not simply be let through: each reader goes its own
   * pace, and one that is late would overwrite what another has read for the next inference.
   */
  abandon(): void {
    this.isAbandoned = true;
  }

  /**
   * Starts the stream anew after an abandoned inference or a read failure, or when its counters get near their end.
   * @throws SluiceError `io` when the file can't be opened; the next call tries again.
   */
  async recover(): Promise<void> {
    const { ring } = this;
    if (!ring) return;
    const { control } = ring.handle.table;
    const hasFailed = Atomics.load(control, Slot.failed) === 1;
    const perInference = Math.max(ticksPerInference(this.steps), ring.schedule.operations.length);
    if (!this.isAbandoned && !hasFailed && this.inference * perInference < MAX_TICKS) return;
    this.isAbandoned = true;
    await ring.handle.detach();
    control.fill(0);
    this.inference = 0;
    this.ring = { ...ring, handle: await this.pool.attach(ring.handle.table) };
    this.memory.replaceRing(this.ring);
    this.isAbandoned = false;
  }

  /** Times of the inference that has just finished. */
  times(steps: StepTimes): InferenceTimes {
    const table = this.ring?.handle.table;
    if (!table) return summarise(steps, new Float64Array(0));
    const count = 2 * table.byteLengths.length;
    const parity = (this.inference - 1) % 2;
    return summarise(steps, table.timesMs.slice(parity * count, (parity + 1) * count));
  }

  private tick(ticks: number): void {
    if (this.ring) this.pool.advance(this.ring.handle.table, ticks);
  }
}
