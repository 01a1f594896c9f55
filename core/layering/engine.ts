import { once } from 'node:events';
import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { workerFile } from '../base';
import { SluiceError, type PipelineMode, type PlanDetail } from '../contract';
import { terminateRun } from '../ort';
import type {
  ExecutorLoaded,
  ExecutorMeasured,
  ExecutorMessage,
  ExecutorOptions,
  ExecutorRan,
  ExecutorReady,
  ExecutorReply,
  ExecutorRequest,
} from './executor-protocol';
import { instructionSet } from './instruction-set';
import type { MemoryUse } from './loaded-model';
import { checkManifestFits, readManifest, type StoreManifest } from './manifest';
import { planProgram } from './plan';
import { programSchedule } from './predict';
import type { Program } from './program';
import { readProfile } from './profile-file';
import type { StreamSchedule } from './schedule';
import { createStopSignal, requestStop } from './stop-signal';
import type { HostTensors } from './tensors';
import type { InferenceTrace } from './trace-columns';

export interface EngineOptions {
  /** Compute threads. */
  readonly threads: number;
  /** Threads that read (default 2: into large pages they reach the disk's rate and leave the CPU to computing). */
  readonly readers?: number;
  /** Let idle compute threads spin a moment between layers (default true). */
  readonly spin?: boolean;
}

export interface EngineInfo {
  readonly runtimeVersion: string;
  readonly providers: readonly string[];
  readonly instructionSet: string;
  readonly threads: number;
}

export interface LoadRequest {
  /** Folder of a layer store. */
  readonly storePath: string;
  readonly mode: PipelineMode;
  /** Parameter memory, bytes. Required unless the mode is `resident`. */
  readonly budgetBytes?: number;
}

export interface InferenceResult {
  /** By name, row-major; the caller's. */
  readonly outputs: HostTensors;
  readonly totalMs: number;
  /** Of it, what the compute side waited for reads. */
  readonly stallMs: number;
  /** From the store, for this inference. */
  readonly readBytes: number;
  readonly trace: InferenceTrace;
}

const DEFAULT_READERS = 2;
const DEFAULT_READ_SAMPLE_BYTES = 128 << 20;
const DEFAULT_READ_MEMORY_BYTES = 8 << 20;

/** Runs models in a thread of its own, so that the calling thread stays free. One a process. */
export class Engine {
  private nextRequest = 1;
  private nextModel = 1;
  private death: SluiceError | undefined;
  private readonly waiting = new Map<number, (reply: ExecutorReply) => void>();

  private constructor(
    private readonly worker: Worker,
    readonly info: EngineInfo,
    /** Threads that read. */
    readonly readers: number,
  ) {
    worker.on('message', (reply: ExecutorReply) => {
      this.waiting.get(reply.id)?.(reply);
      this.waiting.delete(reply.id);
    });
    worker.on('error', (cause) =>
      this.die(new SluiceError('engine-down', `The executor failed: ${String(cause)}`)),
    );
    worker.on('exit', () => this.die(new SluiceError('engine-down', 'The engine was closed.')));
  }

  /** @throws SluiceError `unsupported` when ONNX Runtime can't be loaded here. */
  static async start(options: EngineOptions): Promise<Engine> {
    const { threads } = options;
    const workerData: ExecutorOptions = {
      threads,
      readers: options.readers ?? DEFAULT_READERS,
      spin: options.spin ?? true,
    };
    const worker = new Worker(workerFile('executor-worker'), { workerData });
    const [ready] = (await once(worker, 'message').catch((cause: unknown) => {
      throw SluiceError.from(cause, 'unsupported');
    })) as [ExecutorReady];
    return new Engine(worker, { ...ready, instructionSet: instructionSet(), threads }, workerData.readers);
  }

  /**
   * Plans a store under a budget, allocates its memory and starts its reads.
   * @throws SluiceError `budget-too-small` (details.minimumBytes), `stale-store`, `corrupt-store`, `io`.
   */
  async load(request: LoadRequest): Promise<EngineModel> {
    const { storePath, mode } = request;
    const manifest = readManifest(storePath);
    checkManifestFits(manifest, this.info);
    if (mode !== 'resident' && request.budgetBytes === undefined) {
      throw new SluiceError('bad-input', `Mode ${mode} needs a budget in bytes.`);
    }
    const { program, detail } = planProgram(
      manifest,
      readProfile(storePath),
      mode,
      request.budgetBytes ?? Infinity,
    );
    return this.loadProgram(storePath, manifest, program, detail);
  }

  /** Loads a store under a program of the caller's. */
  async loadProgram(
    storePath: string,
    manifest: StoreManifest,
    program: Program,
    plan: PlanDetail,
  ): Promise<EngineModel> {
    const modelId = this.nextModel++;
    const loaded = (await this.ask({
      kind: 'load',
      modelId,
      storePath,
      manifest,
      program,
    })) as ExecutorLoaded;
    const schedule = programSchedule(program);
    const ask = (work: ExecutorRequest): Promise<unknown> => this.ask(work);
    return new EngineModel(modelId, manifest, program, plan, schedule, loaded, ask);
  }

  /**
   * Direct read rate of a file, bytes per second, with nothing else going on in this engine.
   * @param how.parallel readers at work (default: all). @param how.totalBytes how much to read (default 128 MiB).
   * @param how.memoryBytes size of the memory they land in (default 8 MiB).
   */
  async measureReads(
    path: string,
    how: {
      readonly chunkBytes: number;
      readonly parallel?: number;
      readonly totalBytes?: number;
      readonly memoryBytes?: number;
    },
  ): Promise<number> {
    const { chunkBytes, parallel = this.readers } = how;
    const { totalBytes = DEFAULT_READ_SAMPLE_BYTES, memoryBytes = DEFAULT_READ_MEMORY_BYTES } = how;
    const fileBytes = statSync(path).size;
    const measured = await this.ask({
      kind: 'measure-reads',
      path,
      fileBytes,
      chunkBytes,
      parallel,
      totalBytes,
      memoryBytes,
    });
    return (measured as ExecutorMeasured).bytesPerSec;
  }

  async close(): Promise<void> {
    if (this.death) return;
    await this.ask({ kind: 'end' });
    await this.worker.terminate();
  }

  private ask(request: ExecutorRequest): Promise<unknown> {
    if (this.death) return Promise.reject(this.death);
    const id = this.nextRequest++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, (reply) => {
        if (reply.ok) resolve(reply.value);
        else reject(SluiceError.fromWire(reply.error));
      });
      this.worker.postMessage({ id, request } satisfies ExecutorMessage);
    });
  }

  private die(error: SluiceError): void {
    this.death ??= error;
    for (const [id, settle] of this.waiting) settle({ id, ok: false, error: this.death.toWire() });
    this.waiting.clear();
  }
}

/** A model in the engine's memory. Inferences of all models run one at a time, in the order asked. */
export class EngineModel {
  private memory: MemoryUse;

  constructor(
    private readonly modelId: number,
    readonly manifest: StoreManifest,
    readonly program: Program,
    readonly plan: PlanDetail,
    private readonly schedule: StreamSchedule | undefined,
    private readonly loaded: ExecutorLoaded,
    private readonly ask: (request: ExecutorRequest) => Promise<unknown>,
  ) {
    this.memory = loaded.memory;
  }

  /** As allocated at the end of the last inference. */
  get memoryUse(): MemoryUse {
    return this.memory;
  }

  /** False where the file system made reads go through the page cache. */
  get readsDirectly(): boolean {
    return this.loaded.readsDirectly;
  }

  /**
   * One inference.
   * @param options.signal stops it at any moment with `cancelled`; the model stays usable.
   * @throws SluiceError `bad-input` (all faults at once), `io`, `corrupt-store`, `runtime`, `cancelled`.
   */
  async run(inputs: HostTensors, options: { readonly signal?: AbortSignal } = {}): Promise<InferenceResult> {
    const stopSignal = createStopSignal();
    const stop = (): void => requestStop(stopSignal, () => terminateRun(this.loaded.terminator));
    if (options.signal?.aborted) throw new SluiceError('cancelled', 'The run was cancelled.');
    options.signal?.addEventListener('abort', stop, { once: true });
    try {
      const ran = (await this.ask({
        kind: 'run',
        modelId: this.modelId,
        inputs,
        stop: stopSignal,
      })) as ExecutorRan;
      this.memory = ran.memory;
      const { times } = ran;
      const { program, manifest, schedule } = this;
      return {
        outputs: ran.outputs,
        totalMs: times.totalMs,
        stallMs: times.stallMs,
        readBytes: schedule?.operations.reduce((sum, operation) => sum + operation.byteLength, 0) ?? 0,
        trace: { times, program, schedule, layers: manifest.layers },
      };
    } finally {
      options.signal?.removeEventListener('abort', stop);
    }
  }

  /** Frees its memory and stops its reads. */
  async close(): Promise<void> {
    await this.ask({ kind: 'unload', modelId: this.modelId });
  }
}
