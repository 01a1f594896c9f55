import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { engineClockMs } from '../../base';
import { SluiceError } from '../../contract';
import { OrtSession, returnFreedBuffers, type OrtEnvironment } from '../../ort';
import type { RowRange } from '../source/tensor-reader';
import type { WeightMemory, WeightSteps, WeightTraffic } from '../decoder/weight-steps';
import { loadResident } from './load-resident';
import type { WeightPlan } from './plan-weights';
import { MANIFEST_FILE, paddedBytes, type StoredSteps } from './stored-steps';
import { Total } from './stream-protocol';
import { MAX_NUMBER, WeightStream } from './weight-stream';

interface Taken {
  readonly number: number;
  readonly session: OrtSession;
}

/** Some steps in memory, the others made anew for every pass from what a thread reads. */
export class StreamedSteps implements WeightSteps {
  /** Position of a step among the streamed ones. */
  private readonly slots: ReadonlyMap<number, number>;
  private stream: WeightStream | undefined;
  /** The number that follows those taken. */
  private next = 0;
  private taken: Taken | undefined;
  private stallMs = 0;
  /** Of streams that were replaced. */
  private readonly earlier = [0, 0, 0, 0];
  private readonly streams = new Set<Promise<void>>();

  private constructor(
    private readonly environment: OrtEnvironment,
    private readonly store: StoredSteps,
    private readonly plan: WeightPlan,
    private readonly sessions: ReadonlyMap<number, OrtSession>,
    private readonly used: WeightMemory,
  ) {
    this.slots = new Map(plan.streamed.map((step, slot) => [step, slot]));
    this.startStream();
  }

  /** @throws SluiceError `io`, `runtime`, `cancelled`; `corrupt-store`: the store is then made anew next time. */
  static async open(
    environment: OrtEnvironment,
    store: StoredSteps,
    plan: WeightPlan,
    options: { readonly budgetBytes: number; readonly signal?: AbortSignal },
  ): Promise<StreamedSteps> {
    const resident = await loadResident(environment, store, plan.resident, options.signal).catch(
      (error: unknown) => {
        throw noted(store, error);
      },
    );
    returnFreedBuffers();
    const { residentBytes, ringBytes, sessionBytes, streamed } = plan;
    return new StreamedSteps(environment, store, plan, resident, {
      budgetBytes: options.budgetBytes,
      residentBytes,
      ringBytes,
      sessionBytes,
      streamedBytesPerPass: streamed.reduce((sum, step) => sum + paddedBytes(store.steps[step]!), 0),
      isMeasured: store.isMeasured,
    });
  }

  get headParts(): readonly RowRange[] {
    return this.store.headParts;
  }

  acquire(step: number): OrtSession | Promise<OrtSession> {
    const slot = this.slots.get(step);
    return slot === undefined ? this.sessions.get(step)! : this.take(slot);
  }

  release(): void {
    const { taken } = this;
    this.taken = undefined;
    if (taken) this.stream?.giveBack(taken.number, taken.session);
  }

  endPass(): void {
    this.release();
    const count = this.slots.size;
    if (count === 0 || this.next % count === 0) return;
    this.next += count - (this.next % count);
    this.stream?.skipTo(this.next);
  }

  memory(): WeightMemory {
    return this.used;
  }

  traffic(): WeightTraffic {
    const total = (at: number): number => this.earlier[at]! + (this.stream?.control.totals[at] ?? 0);
    return {
      readBytes: total(Total.readBytes),
      stallMs: this.stallMs,
      readWaitMs: total(Total.readWaitMs),
      checkMs: total(Total.checkMs),
      createMs: total(Total.createMs),
    };
  }

  close(): void {
    this.release();
    this.stopStream();
    for (const session of this.sessions.values()) session.release();
  }

  /** Once closed: all threads are gone. */
  async ended(): Promise<void> {
    await Promise.all(this.streams);
  }

  private take(slot: number): OrtSession | Promise<OrtSession> {
    const hasFailed = this.stream?.failure !== undefined;
    // A failure is told to one pass; the next has another try.
    if (slot === 0 && (hasFailed || this.next > MAX_NUMBER / 2)) {
      this.stopStream();
      this.startStream();
    }
    const number = this.next + slot - (this.next % this.slots.size);
    try {
      const session = this.stream!.take(number);
      return session instanceof OrtSession ? this.hold(number, session) : this.wait(number, session);
    } catch (error) {
      throw noted(this.store, error);
    }
  }

  private async wait(number: number, session: Promise<OrtSession>): Promise<OrtSession> {
    const startMs = engineClockMs();
    try {
      return this.hold(number, await session);
    } catch (error) {
      throw noted(this.store, error);
    } finally {
      this.stallMs += engineClockMs() - startMs;
    }
  }

  private hold(number: number, session: OrtSession): OrtSession {
    this.taken = { number, session };
    this.next = number + 1;
    return session;
  }

  private startStream(): void {
    const { environment, store, plan } = this;
    const { program } = plan;
    if (!program) return;
    this.stream = new WeightStream(environment, store, { ...plan, program });
    this.next = 0;
    const { ended } = this.stream;
    this.streams.add(ended);
    void ended.then(() => this.streams.delete(ended));
  }

  private stopStream(): void {
    const { stream } = this;
    this.stream = undefined;
    if (!stream) return;
    stream.control.totals.forEach((total, at) => (this.earlier[at] = this.earlier[at]! + total));
    stream.close();
  }
}

/** A store that is damaged is not found any more, so that it is made anew; the same error. */
function noted(store: StoredSteps, error: unknown): unknown {
  if (error instanceof SluiceError && error.code === 'corrupt-store') {
    rmSync(join(store.folder, MANIFEST_FILE), { force: true });
  }
  return error;
}
