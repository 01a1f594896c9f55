import { SluiceError } from '../contract';
import { loadCApi, type CApi, type OutNumber, type OutPointer, type Pointer } from './c-api';
import { runtimeLibraryPath } from './library';
import { readCString, readPointers } from './native-memory';

export interface EnvironmentOptions {
  /** Intra-op threads of the one shared pool, the calling thread included. */
  readonly threads: number;
  /** Let pool threads spin a while before they sleep: faster short layers, a busier CPU. Default true. */
  readonly spin?: boolean;
  readonly libraryPath?: string;
}

/** Errors come back as statuses; ONNX Runtime need not print them too. */
const LOG_FATAL_ONLY = 4;
const DEVICE_ALLOCATOR = 0;
const ARENA_ALLOCATOR = 1;
/** Grow by what is asked for instead of doubling: the arena then holds hardly more than the largest step needs. */
const EXTEND_AS_REQUESTED = 1;
const DEFAULT_MEMORY = 0;

/**
 * ONNX Runtime's environment: one a process, with one thread pool that every session shares. Handles made from it
 * may be used from any thread of the process; `close` must come last.
 */
export class OrtEnvironment {
  private constructor(
    readonly api: CApi,
    readonly threads: number,
    readonly envPointer: Pointer,
    readonly cpuMemoryInfo: Pointer,
    /** The default CPU allocator; owned by ONNX Runtime. */
    readonly allocator: Pointer,
  ) {}

  /** @throws SluiceError `bad-input` (threads), `unsupported` (no library, or one that is too old), `runtime`. */
  static open(options: EnvironmentOptions): OrtEnvironment {
    if (!Number.isInteger(options.threads) || options.threads < 1) {
      throw new SluiceError(
        'bad-input',
        `threads must be a whole number of 1 or more, found ${options.threads}.`,
      );
    }
    const api = loadCApi(options.libraryPath ?? runtimeLibraryPath());
    const env = createEnv(api, options.threads, options.spin ?? true);
    const memoryInfo: OutPointer = [null];
    api.check('CreateCpuMemoryInfo', DEVICE_ALLOCATOR, DEFAULT_MEMORY, memoryInfo);
    const allocator: OutPointer = [null];
    api.check('GetAllocatorWithDefaultOptions', allocator);
    registerSharedArena(api, env);
    return new OrtEnvironment(api, options.threads, env, memoryInfo[0], allocator[0]);
  }

  /** Of ONNX Runtime, `1.30.0`. */
  get version(): string {
    return this.api.version;
  }

  /** Execution providers compiled into the library, e.g. `CPUExecutionProvider`. */
  availableProviders(): readonly string[] {
    const names: OutPointer = [null];
    const count: OutNumber = [0];
    this.api.check('GetAvailableProviders', names, count);
    const found = readPointers(names[0] as bigint, Number(count[0])).map(readCString);
    this.api.check('ReleaseAvailableProviders', names[0], Number(count[0]));
    return found;
  }

  /** Once, when all that was made from it is released. */
  close(): void {
    this.api.release('ReleaseMemoryInfo', this.cpuMemoryInfo);
    this.api.release('ReleaseEnv', this.envPointer);
  }
}

function createEnv(api: CApi, threads: number, spin: boolean): Pointer {
  const threading: OutPointer = [null];
  api.check('CreateThreadingOptions', threading);
  try {
    api.check('SetGlobalIntraOpNumThreads', threading[0], threads);
    api.check('SetGlobalInterOpNumThreads', threading[0], 1);
    api.check('SetGlobalSpinControl', threading[0], spin ? 1 : 0);
    const env: OutPointer = [null];
    api.check('CreateEnvWithGlobalThreadPools', LOG_FATAL_ONLY, 'sluice', threading[0], env);
    // Windows reads no variable: its build traces events until this call.
    api.check('DisableTelemetryEvents', env[0]);
    return env[0];
  } finally {
    api.release('ReleaseThreadingOptions', threading[0]);
  }
}

/** One arena for intermediate tensors, which sessions with `sharedArena` use instead of one each. */
function registerSharedArena(api: CApi, env: Pointer): void {
  const memoryInfo: OutPointer = [null];
  api.check('CreateCpuMemoryInfo', ARENA_ALLOCATOR, DEFAULT_MEMORY, memoryInfo);
  const config: OutPointer = [null];
  api.check('CreateArenaCfg', 0, EXTEND_AS_REQUESTED, -1, -1, config);
  try {
    const status = api.functions.CreateAndRegisterAllocator(env, memoryInfo[0], config[0]) as Pointer;
    // The environment is a singleton of the process: opened again, it already has its arena.
    if (status !== null) {
      const error = api.raise(status);
      if (!error.message.includes('already')) throw error;
    }
  } finally {
    api.release('ReleaseArenaCfg', config[0]);
    api.release('ReleaseMemoryInfo', memoryInfo[0]);
  }
}
