import { getSystemErrorName } from 'node:util';
import { Worker } from 'node:worker_threads';
import { workerFile } from '../base';
import { SluiceError } from '../contract';
import { systemHint } from './atomic-file';
import { Slot, wantedSlot, type StreamTable } from './stream-table';

export type ReaderCommand =
  | { readonly kind: 'attach'; readonly id: number; readonly table: StreamTable }
  | { readonly kind: 'detach'; readonly id: number }
  | { readonly kind: 'end' };

export type ReaderEvent =
  | { readonly kind: 'attached'; readonly id: number; readonly direct: boolean }
  | { readonly kind: 'refused'; readonly id: number; readonly message: string }
  | { readonly kind: 'detached'; readonly id: number };

export interface ReaderWorkerData {
  readonly reader: number;
  readonly readers: number;
  readonly doorbell: Int32Array;
}

export interface StreamHandle {
  readonly table: StreamTable;
  /** Whether all readers could open the file past the page cache. */
  readonly direct: boolean;
  /** Stops its reads, waits for those under way and closes the file. The memory may be reused afterwards. */
  detach(): Promise<void>;
}

/** Threads that read for all streams of one process. Reads of one stream start in order. */
export class ReaderPool {
  private nextId = 1;
  private readonly waiting = new Map<number, (event: ReaderEvent) => void>();

  private constructor(
    private readonly workers: readonly Worker[],
    private readonly doorbell: Int32Array,
  ) {
    for (const worker of workers) {
      worker.unref();
      worker.on('message', (event: ReaderEvent) => this.waiting.get(event.id)?.(event));
    }
  }

  static start(readers: number): ReaderPool {
    const doorbell = new Int32Array(new SharedArrayBuffer(4));
    const workers = Array.from({ length: readers }, (_, reader) => {
      const workerData: ReaderWorkerData = { reader, readers, doorbell };
      return new Worker(workerFile('reader-worker'), {
        workerData,
        resourceLimits: { maxOldGenerationSizeMb: 32 },
      });
    });
    return new ReaderPool(workers, doorbell);
  }

  get readers(): number {
    return this.workers.length;
  }

  /** Raises a stream's clock, and wakes the readers if one of them sleeps for that. */
  advance(table: StreamTable, ticks: number): void {
    const { control } = table;
    Atomics.store(control, Slot.ticks, ticks);
    for (let reader = 0; reader < this.readers; reader += 1) {
      if (Atomics.load(control, wantedSlot(reader, this.readers)) <= ticks) {
        this.ring();
        return;
      }
    }
  }

  private ring(): void {
    Atomics.add(this.doorbell, 0, 1);
    Atomics.notify(this.doorbell, 0);
  }

  /** Starts a stream's reads. @throws SluiceError `io` when a reader can't open the file. */
  async attach(table: StreamTable): Promise<StreamHandle> {
    const id = this.nextId++;
    const events = await this.tell(id, { kind: 'attach', id, table });
    const refused = events.find((event) => event.kind === 'refused');
    const detach = async (): Promise<void> => {
      Atomics.store(table.control, Slot.stopped, 1);
      await this.tell(id, { kind: 'detach', id });
    };
    if (refused?.kind === 'refused') {
      await detach();
      throw new SluiceError('io', refused.message, { path: table.filePath });
    }
    const direct = events.every((event) => event.kind === 'attached' && event.direct);
    return { table, direct, detach };
  }

  /** Ends the threads. Streams must have been detached. */
  async close(): Promise<void> {
    const ended = this.workers.map((worker) => new Promise((resolve) => worker.once('exit', resolve)));
    for (const worker of this.workers) worker.postMessage({ kind: 'end' } satisfies ReaderCommand);
    this.ring();
    await Promise.all(ended);
  }

  private tell(id: number, command: ReaderCommand): Promise<ReaderEvent[]> {
    const events: ReaderEvent[] = [];
    const all = new Promise<ReaderEvent[]>((resolve) => {
      this.waiting.set(id, (event) => {
        events.push(event);
        if (events.length < this.workers.length) return;
        this.waiting.delete(id);
        resolve(events);
      });
    });
    // A message to an unreferenced worker must still keep the process alive until it is answered.
    for (const worker of this.workers) worker.ref();
    for (const worker of this.workers) worker.postMessage(command);
    this.ring();
    return all.finally(() => {
      for (const worker of this.workers) worker.unref();
    });
  }
}

/** Whether every operation up to running number `last` has been read. */
export function readsDone(table: StreamTable, readers: number, last: number): boolean {
  for (let reader = 0; reader < readers; reader += 1) {
    const lastOfReader = last - ((((last - reader) % readers) + readers) % readers);
    if (lastOfReader < 0) continue;
    if (Atomics.load(table.control, Slot.firstReader + reader) <= lastOfReader) return false;
  }
  return true;
}

/** The failure of a stream's reads, if any. @param describe names what an operation was for. */
export function streamFailure(
  table: StreamTable,
  describe: (operation: number) => string,
): SluiceError | undefined {
  const { control } = table;
  if (Atomics.load(control, Slot.failed) !== 1) return undefined;
  const operation = Atomics.load(control, Slot.failedOperation);
  const result = Atomics.load(control, Slot.failedResult);
  const expected = table.byteLengths[operation] ?? 0;
  const offset = table.fileOffsets[operation] ?? 0;
  const what = describe(operation);
  const errno = result < 0 ? getSystemErrorName(result) : '';
  const problem =
    result < 0
      ? systemHint(errno, 'the read failed')
      : `the file ended early: expected ${expected} bytes, found ${result}`;
  return new SluiceError(
    'io',
    `Reading ${what} from ${table.filePath} at byte ${offset}: ${problem}. ` +
      'Check the disk, then verify the model or import it again.',
    { path: table.filePath, offset, expected, found: result, layer: what, errno },
  );
}
