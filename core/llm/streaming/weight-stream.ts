import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads';

import { workerFile } from '../../base';
import { SluiceError } from '../../contract';
import { OrtSession, type OrtEnvironment } from '../../ort';
import type { WeightPlan } from './plan-weights';
import type { StoredStep, StoredSteps } from './stored-steps';
import {
  Control,
  createStreamControl,
  type StreamCommand,
  type StreamControl,
  type StreamEvent,
  type StreamWorkerData,
} from './stream-protocol';

interface Waiting {
  readonly number: number;
  readonly resolve: (session: OrtSession) => void;
  readonly reject: (error: Error) => void;
}

/** Numbers are 32 bits in shared memory; a stream is replaced by a new one long before. */
export const MAX_NUMBER = 2 ** 30;

/**
 * Sessions of the streamed steps, one after the other, made by a thread ahead of who takes them. Numbered from 0, each is
 * taken once, in order, and given back; some may be left out. After a failure nothing more comes.
 */
export class WeightStream {
  readonly control: StreamControl = createStreamControl();
  /** The thread is gone. */
  readonly ended: Promise<void>;
  failure: SluiceError | undefined;
  private readonly worker: Worker;
  private readonly port: MessagePort;
  private readonly steps: readonly StoredStep[];
  private readonly ready = new Map<number, OrtSession>();
  private waiting: Waiting | undefined;
  /** Kept as long as there are sessions whose weights are in it. */
  private memory: WebAssembly.Memory | undefined;

  /** @param workerPath other than the built one, in tests. */
  constructor(
    private readonly environment: OrtEnvironment,
    store: StoredSteps,
    plan: WeightPlan & { readonly program: NonNullable<WeightPlan['program']> },
    workerPath = workerFile('weight-stream-worker'),
  ) {
    const { port1, port2 } = new MessageChannel();
    this.steps = plan.streamed.map((index) => store.steps[index]!);
    const { program, pages, sessions } = plan;
    const workerData: StreamWorkerData = {
      port: port2,
      threads: environment.threads,
      folder: store.folder,
      steps: this.steps,
      program,
      pages,
      sessions,
      control: this.control,
    };
    this.port = port1;
    this.worker = new Worker(workerPath, {
      workerData,
      transferList: [port2],
      resourceLimits: { maxOldGenerationSizeMb: 64 },
    });
    port1.on('message', (event: StreamEvent) => this.hear(event));
    this.worker.on('error', (cause) => this.fail(brokenThread(cause)));
    this.ended = new Promise((resolve) => {
      this.worker.once('exit', () => {
        this.hearAll();
        this.fail(brokenThread(undefined));
        this.port.close();
        resolve();
      });
    });
  }

  /** The session of a number: at once when it is ready. @throws SluiceError `io`, `corrupt-store`, `runtime`. */
  take(number: number): OrtSession | Promise<OrtSession> {
    this.hearAll();
    const session = this.ready.get(number);
    if (session) {
      this.ready.delete(number);
      return session;
    }
    if (this.failure) throw this.failure;
    return new Promise((resolve, reject) => {
      this.waiting = { number, resolve, reject };
    });
  }

  /** Ends a session that was taken. */
  giveBack(number: number, session: OrtSession): void {
    session.release();
    this.tell({ kind: 'given-back', number });
  }

  /** Numbers below it will not be taken. */
  skipTo(number: number): void {
    Atomics.store(this.control.flags, Control.wantedFrom, number);
    for (const [there, session] of this.ready) {
      if (there >= number) continue;
      this.ready.delete(there);
      this.giveBack(there, session);
    }
  }

  /** Frees what is ready, and lets the thread end. Nothing may be taken and not given back. */
  close(): void {
    Atomics.store(this.control.flags, Control.closing, 1);
    this.skipTo(MAX_NUMBER);
    this.fail(new SluiceError('cancelled', 'The model was closed.'));
    this.tell({ kind: 'close' });
  }

  private hearAll(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.port);
      if (!received) return;
      this.hear(received.message as StreamEvent);
    }
  }

  private hear(event: StreamEvent): void {
    if (event.kind === 'ready') this.memory = event.memory;
    else if (event.kind === 'failed') this.fail(SluiceError.fromWire(event.error));
    else this.receive(event.number, event.pointer);
  }

  private receive(number: number, pointer: bigint): void {
    const session = OrtSession.adopt(this.environment, pointer, this.steps[number % this.steps.length]!);
    const { waiting } = this;
    if (number < Atomics.load(this.control.flags, Control.wantedFrom)) this.giveBack(number, session);
    else if (waiting?.number === number) {
      this.waiting = undefined;
      waiting.resolve(session);
    } else this.ready.set(number, session);
  }

  private fail(error: SluiceError): void {
    this.failure ??= error;
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.reject(this.failure);
  }

  private tell(command: StreamCommand): void {
    this.port.postMessage(command);
  }
}

function brokenThread(cause: unknown): SluiceError {
  return new SluiceError(
    'runtime',
    'The thread that reads weights ended. Ask again: it is then started anew.',
    {},
    { cause },
  );
}
