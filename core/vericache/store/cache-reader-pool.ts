import { Worker } from 'node:worker_threads';
import { workerFile } from '../../base';
import { createJobControl, hasSucceeded, jobFailure, type CacheJob, type JobFailure } from './cache-job';

const DEFAULT_READERS = 2;

export type CacheReaderCommand =
  | {
      readonly kind: 'job';
      readonly id: number;
      readonly file: CacheFile;
      readonly memoryId: number;
      /** Sent with the first job over it. */
      readonly memory: WebAssembly.Memory | undefined;
      readonly job: CacheJob;
    }
  | { readonly kind: 'close-file'; readonly id: number; readonly fileId: number }
  | { readonly kind: 'forget-memory'; readonly memoryId: number };

/** This reader does nothing for the command any more. */
export interface CacheReaderEvent {
  readonly over: number;
}

/** A file as the readers know it: each opens it with its first job and keeps it open. */
export interface CacheFile {
  readonly id: number;
  readonly path: string;
}

export interface CacheTask {
  /** Asks shared memory, so it tells the truth in the middle of a long synchronous call too. */
  readonly isDone: boolean;
  /** @throws what `explain` made of the failure, once no reader touches the memory any more. */
  readonly done: Promise<void>;
}

interface Reader {
  readonly worker: Worker;
  readonly memories: Set<number>;
}

interface Waiting {
  readonly readers: Set<Reader>;
  /** Called after every answer. @returns whether nothing more is waited for. */
  readonly settle: (left: number) => boolean;
}

/**
 * Threads that read, write and check for all caches of one process. They work on one job after the other, together.
 * A thread that ends is replaced with the next job; what it had in hand fails.
 */
export class CacheReaderPool {
  private readonly readers: (Reader | undefined)[];
  private readonly waiting = new Map<number, Waiting>();
  private readonly memoryIds = new WeakMap<WebAssembly.Memory, number>();
  private readonly forgotten = new FinalizationRegistry<number>((memoryId) => this.forget(memoryId));
  private nextId = 1;
  private deathCause: unknown;

  private constructor(
    readers: number,
    private readonly workerPath: string,
  ) {
    this.readers = Array.from({ length: readers }, () => undefined);
  }

  /** Threads start with the first job. @param workerPath other than the built one, in tests. */
  static start(readers = DEFAULT_READERS, workerPath = workerFile('cache-reader-worker')): CacheReaderPool {
    return new CacheReaderPool(readers, workerPath);
  }

  file(path: string): CacheFile {
    return { id: this.nextId++, path };
  }

  /** Starts a job. @param explain makes the error of a failure. */
  run(
    file: CacheFile,
    memory: WebAssembly.Memory,
    work: Omit<CacheJob, 'control'>,
    explain: (failure: JobFailure, cause: unknown) => Error,
  ): CacheTask {
    const job: CacheJob = { ...work, control: createJobControl() };
    const memoryId = this.memoryId(memory);
    const done = new Promise<void>((resolve, reject) => {
      const settle = (left: number): boolean => {
        if (hasSucceeded(job.control)) resolve();
        else if (left === 0) reject(explain(jobFailure(job), this.deathCause));
        else return false;
        return true;
      };
      this.post(this.allReaders(), settle, (reader, id) => {
        const isKnown = reader.memories.has(memoryId);
        reader.memories.add(memoryId);
        return { kind: 'job', id, file, memoryId, memory: isKnown ? undefined : memory, job };
      });
    });
    // A caller that polls `isDone` may never look at `done`.
    done.catch(() => undefined);
    return {
      done,
      get isDone() {
        return hasSucceeded(job.control);
      },
    };
  }

  /** The readers close a file that no job is under way for. */
  async closeFile(file: CacheFile): Promise<void> {
    const alive = this.readers.filter((reader) => reader !== undefined);
    if (alive.length === 0) return;
    await new Promise<void>((resolve) => {
      const settle = (left: number): boolean => {
        if (left === 0) resolve();
        return left === 0;
      };
      this.post(alive, settle, (_, id) => ({ kind: 'close-file', id, fileId: file.id }));
    });
  }

  /** Ends the threads. Jobs under way fail. */
  async close(): Promise<void> {
    for (const reader of this.readers) await reader?.worker.terminate();
  }

  private post(
    readers: readonly Reader[],
    settle: Waiting['settle'],
    command: (reader: Reader, id: number) => CacheReaderCommand,
  ): void {
    const id = this.nextId++;
    this.waiting.set(id, { readers: new Set(readers), settle });
    for (const reader of readers) {
      // A reader that is asked for nothing must not keep the process alive, and one that is must.
      reader.worker.ref();
      reader.worker.postMessage(command(reader, id));
    }
  }

  private allReaders(): readonly Reader[] {
    return this.readers.map((reader, index) => reader ?? this.startReader(index));
  }

  private startReader(index: number): Reader {
    const worker = new Worker(this.workerPath, { resourceLimits: { maxOldGenerationSizeMb: 32 } });
    const reader: Reader = { worker, memories: new Set() };
    worker.on('message', ({ over }: CacheReaderEvent) => this.answer(over, reader));
    worker.on('error', (cause) => (this.deathCause = cause));
    worker.on('exit', () => {
      this.readers[index] = undefined;
      for (const id of [...this.waiting.keys()]) this.answer(id, reader);
    });
    this.readers[index] = reader;
    return reader;
  }

  private answer(id: number, reader: Reader): void {
    const waiting = this.waiting.get(id);
    if (!waiting?.readers.delete(reader)) return;
    if (waiting.settle(waiting.readers.size)) this.waiting.delete(id);
    if (this.waiting.size === 0) for (const idle of this.readers) idle?.worker.unref();
  }

  private memoryId(memory: WebAssembly.Memory): number {
    const known = this.memoryIds.get(memory);
    if (known !== undefined) return known;
    const id = this.nextId++;
    this.memoryIds.set(memory, id);
    this.forgotten.register(memory, id);
    return id;
  }

  /** The memory is freed once the readers let go of it too. */
  private forget(memoryId: number): void {
    for (const reader of this.readers) {
      if (!reader?.memories.delete(memoryId)) continue;
      reader.worker.postMessage({ kind: 'forget-memory', memoryId } satisfies CacheReaderCommand);
    }
  }
}
