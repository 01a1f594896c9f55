/**
 * Entry of the thread that makes a decoder's streamed sessions, over and over in the order of its passes: waits for the
 * step's weights in the ring, checks them, makes the session over them and hands it over. Its place in the ring is free
 * again once the session was given back.
 */
import { workerData } from 'node:worker_threads';

import { engineClockMs } from '../../base';
import { SluiceError } from '../../contract';
import { RingRunner, WeightMemory } from '../../layering';
import { OrtEnvironment, OrtSession } from '../../ort';
import { ReaderPool } from '../../storage';
import { corruptStep, IN_PLACE, sumOf } from './store-step';
import { paddedBytes } from './stored-steps';
import {
  Control,
  Total,
  type StreamCommand,
  type StreamEvent,
  type StreamWorkerData,
} from './stream-protocol';

const READERS = 2;

const data = workerData as StreamWorkerData;
const { port, steps, control } = data;
const nameAt = (fileOffset: number): string =>
  steps.findLast((step) => step.fileOffset <= fileOffset)?.name ?? 'a step';

function report(event: StreamEvent): void {
  port.postMessage(event);
}

const isClosing = (): boolean => Atomics.load(control.flags, Control.closing) === 1;

function count(total: number, amount: number): void {
  control.totals[total] = control.totals[total]! + amount;
}

/** Numbers that were made or passed over and whose place in the ring is still taken, in order. */
class Outstanding {
  private readonly waiting: { readonly number: number; isOver: boolean }[] = [];
  /** Of those before it, all are over. */
  finished = 0;

  constructor(private readonly ring: RingRunner) {}

  add(number: number, isOver: boolean): void {
    this.waiting.push({ number, isOver });
    this.settle();
  }

  giveBack(number: number): void {
    const found = this.waiting.find((one) => one.number === number);
    if (found) found.isOver = true;
    this.settle();
  }

  get sessions(): number {
    return this.waiting.length;
  }

  private settle(): void {
    while (this.waiting[0]?.isOver) {
      const { number } = this.waiting.shift()!;
      const step = number % steps.length;
      this.ring.finishStep(step);
      this.finished = number + 1;
      if (step === steps.length - 1) this.ring.start();
    }
  }
}

/** Makes session after session until told to close. */
class SessionMaker {
  private next = 0;
  private readonly outstanding: Outstanding;
  private wake: () => void = () => undefined;
  private readonly creating = new Set<Promise<void>>();
  private failure: SluiceError | undefined;

  constructor(
    private readonly environment: OrtEnvironment,
    private readonly memory: WeightMemory,
    private readonly ring: RingRunner,
  ) {
    this.outstanding = new Outstanding(ring);
  }

  obey(command: StreamCommand): void {
    if (command.kind === 'given-back') this.outstanding.giveBack(command.number);
    this.wake();
  }

  async work(): Promise<void> {
    this.ring.start();
    try {
      while (!isClosing() && this.failure === undefined) {
        if (this.outstanding.sessions >= data.sessions) await this.command();
        else {
          this.one();
          // Commands come in between.
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    } finally {
      // They read the ring.
      await Promise.all(this.creating);
    }
    if (this.failure !== undefined) throw this.failure;
  }

  /** Until the next command; what has come already counts. */
  private command(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  private one(): void {
    const number = this.next;
    const index = number % steps.length;
    const step = steps[index]!;
    const rounds = Math.floor(number / steps.length) - Math.floor(this.outstanding.finished / steps.length);
    const startMs = engineClockMs();
    this.ring.waitForStep(index, isClosing, rounds);
    this.next += 1;
    const readMs = engineClockMs();
    count(Total.readWaitMs, readMs - startMs);
    count(Total.readBytes, paddedBytes(step));
    const isWanted = number >= Atomics.load(control.flags, Control.wantedFrom);
    this.outstanding.add(number, !isWanted);
    if (!isWanted) return;
    const made = this.create(number, index).catch((error: unknown) => {
      this.failure ??= SluiceError.from(error);
      this.wake();
    });
    this.creating.add(made);
    void made.then(() => this.creating.delete(made));
  }

  /** Off this thread, so that one session can be made while the next one's weights come, and another is made of them. */
  private async create(number: number, index: number): Promise<void> {
    const step = steps[index]!;
    const byteLength = paddedBytes(step);
    const startMs = engineClockMs();
    const bytes = this.memory.view(index, { fileOffset: step.fileOffset, byteLength });
    const { owner } = this.memory.place(index, step.fileOffset, byteLength);
    const found = sumOf({ memory: owner.memory, byteOffset: bytes.byteOffset }, byteLength);
    const checkedMs = engineClockMs();
    count(Total.checkMs, checkedMs - startMs);
    if (found !== step.sum) throw corruptStep(data.folder, step.name);
    const weights = bytes.subarray(0, step.byteLength);
    const { pointer } = await OrtSession.createAsync(this.environment, weights, IN_PLACE, step);
    count(Total.createMs, engineClockMs() - checkedMs);
    report({ kind: 'made', number, pointer });
  }
}

async function main(): Promise<void> {
  const environment = OrtEnvironment.open({ threads: data.threads });
  const pool = ReaderPool.start(READERS);
  let memory: WeightMemory | undefined;
  try {
    memory = await WeightMemory.open(pool, data.folder, data.program, nameAt, data.pages);
    const [first] = steps;
    const { owner } = memory.place(0, first!.fileOffset, paddedBytes(first!));
    const ring = new RingRunner(pool, memory, steps.length, nameAt);
    const maker = new SessionMaker(environment, memory, ring);
    port.on('message', (command: StreamCommand) => maker.obey(command));
    report({ kind: 'ready', memory: owner.memory });
    await maker.work();
  } catch (error) {
    if (!isClosing()) report({ kind: 'failed', error: SluiceError.from(error).toWire() });
  } finally {
    await memory?.close();
    await pool.close();
    environment.close();
    port.close();
  }
}

void main();
