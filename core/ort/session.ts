import { dtypeNameOf } from '../base';
import { SluiceError, type ExecutionProvider, type TensorSpec } from '../contract';
import { loadCApi, type OutNumber, type OutPointer, type Pointer } from './c-api';
import type { OrtEnvironment } from './environment';
import { runtimeLibraryPath } from './library';
import { addressOf, readCString } from './native-memory';
import { OrtTensor, readTensorInfo } from './tensor';

/** How far ONNX Runtime may rewrite the graph (`GraphOptimizationLevel`). */
export type OptimizationLevel = 'none' | 'basic' | 'extended' | 'all';
const LEVELS: Readonly<Record<OptimizationLevel, number>> = { none: 0, basic: 1, extended: 2, all: 99 };

/** Names ONNX Runtime's generic append function takes, by our lower-case names. */
const PROVIDER_NAMES: Readonly<Record<string, string>> = {
  webgpu: 'WebGPU',
  xnnpack: 'XNNPACK',
  coreml: 'CoreML',
  qnn: 'QNN',
  dml: 'DML',
};

export interface SessionOptions {
  readonly optimization: OptimizationLevel;
  readonly provider?: ExecutionProvider;
  /** Extra `AddSessionConfigEntry` pairs. */
  readonly config?: Readonly<Record<string, string>>;
  /** Where to save the optimised graph. */
  readonly optimizedModelPath?: string;
  /** Keep ONNX Runtime's memory arena for intermediate tensors of this session. Default false. */
  readonly arena?: boolean;
  /** Take intermediate tensors from the environment's one arena. Default false: from malloc. */
  readonly sharedArena?: boolean;
  /** Own thread pool of this size instead of the environment's. */
  readonly ownThreads?: number;
}

/** What a session takes and gives, in its own order. */
export interface SessionPorts {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** A loaded graph. Release it once; runs must have ended. */
export class OrtSession {
  private constructor(
    readonly environment: OrtEnvironment,
    readonly pointer: bigint,
    readonly inputs: readonly TensorSpec[],
    readonly outputs: readonly TensorSpec[],
  ) {}

  /**
   * @param model path of an .onnx file, or its bytes.
   * @param ports what the model is known to have; asking ONNX Runtime takes as long as creating a small session.
   * @throws SluiceError `runtime`.
   */
  static create(
    environment: OrtEnvironment,
    model: string | Uint8Array,
    options: SessionOptions,
    ports?: SessionPorts,
  ): OrtSession {
    const { api } = environment;
    const native = createOptions(environment, options);
    try {
      const out: OutPointer = [null];
      if (typeof model === 'string') api.check('CreateSession', environment.envPointer, model, native, out);
      else api.check('CreateSessionFromArray', environment.envPointer, model, model.byteLength, native, out);
      const pointer = out[0] as bigint;
      return new OrtSession(
        environment,
        pointer,
        ports?.inputs ?? describe(environment, pointer, 'Input'),
        ports?.outputs ?? describe(environment, pointer, 'Output'),
      );
    } finally {
      api.release('ReleaseSessionOptions', native);
    }
  }

  /**
   * The same off the JavaScript thread; several may be created at a time.
   * @param model its bytes, in memory that does not move.
   */
  static async createAsync(
    environment: OrtEnvironment,
    model: Uint8Array,
    options: SessionOptions,
    ports: SessionPorts,
  ): Promise<OrtSession> {
    const { api, envPointer } = environment;
    const native = createOptions(environment, options);
    try {
      const out: OutPointer = [null];
      const status = await new Promise<Pointer>((resolve, reject) => {
        const done = (error: unknown, result: Pointer): void => {
          if (error) reject(SluiceError.from(error, 'runtime'));
          else resolve(result);
        };
        const { byteLength } = model;
        api.functions.CreateSessionFromArray.async(envPointer, model, byteLength, native, out, done);
      });
      if (status !== null) throw api.raise(status);
      return new OrtSession(environment, out[0] as bigint, ports.inputs, ports.outputs);
    } finally {
      api.release('ReleaseSessionOptions', native);
    }
  }

  /**
   * Takes over a session that another thread created in this process, from its `pointer`: whoever adopts it releases it,
   * and the other must not.
   * @param environment open in this thread.
   */
  static adopt(environment: OrtEnvironment, pointer: bigint, ports: SessionPorts): OrtSession {
    return new OrtSession(environment, pointer, ports.inputs, ports.outputs);
  }

  release(): void {
    this.environment.api.release('ReleaseSession', this.pointer);
  }
}

function createOptions(environment: OrtEnvironment, options: SessionOptions): Pointer {
  const { api } = environment;
  const out: OutPointer = [null];
  api.check('CreateSessionOptions', out);
  const native = out[0];
  try {
    if (options.ownThreads === undefined) api.check('DisablePerSessionThreads', native);
    else api.check('SetIntraOpNumThreads', native, options.ownThreads);
    if (options.sharedArena) api.check('AddSessionConfigEntry', native, 'session.use_env_allocators', '1');
    else if (!options.arena) api.check('DisableCpuMemArena', native);
    api.check('SetSessionGraphOptimizationLevel', native, LEVELS[options.optimization]);
    if (options.optimizedModelPath)
      api.check('SetOptimizedModelFilePath', native, options.optimizedModelPath);
    for (const [key, value] of Object.entries(options.config ?? {})) {
      api.check('AddSessionConfigEntry', native, key, value);
    }
    appendProvider(environment, native, options.provider ?? 'cpu');
    return native;
  } catch (error) {
    api.release('ReleaseSessionOptions', native);
    throw error;
  }
}

function appendProvider(environment: OrtEnvironment, options: Pointer, provider: ExecutionProvider): void {
  if (provider === 'cpu') return;
  try {
    environment.api.check(
      'SessionOptionsAppendExecutionProvider',
      options,
      PROVIDER_NAMES[provider] ?? provider,
      [],
      [],
      0,
    );
  } catch (cause) {
    throw new SluiceError(
      'unsupported',
      `Execution provider '${provider}' can't be used: ${SluiceError.from(cause).message} ` +
        `This library has ${environment.availableProviders().join(', ')}.`,
      { provider },
      { cause },
    );
  }
}

function describe(environment: OrtEnvironment, session: bigint, side: 'Input' | 'Output'): TensorSpec[] {
  const { api } = environment;
  const count: OutNumber = [0];
  api.check(`SessionGet${side}Count`, session, count);
  return Array.from({ length: Number(count[0]) }, (_, index) => {
    const name: OutPointer = [null];
    api.check(`SessionGet${side}Name`, session, index, environment.allocator, name);
    const text = readCString(name[0] as bigint);
    api.check('AllocatorFree', environment.allocator, name[0]);
    const info: OutPointer = [null];
    api.check(`SessionGet${side}TypeInfo`, session, index, info);
    try {
      const tensorInfo: OutPointer = [null];
      api.check('CastTypeInfoToTensorInfo', info[0], tensorInfo);
      if (tensorInfo[0] === null) return { name: text, dtype: 'not-a-tensor', shape: [] };
      const { dtype, dims } = readTensorInfo(environment, tensorInfo[0]);
      return { name: text, dtype: dtypeNameOf(dtype), shape: dims };
    } finally {
      api.release('ReleaseTypeInfo', info[0]);
    }
  });
}

/** Stops runs that use it, from any thread of the process. */
export class RunOptions {
  private constructor(
    private readonly environment: OrtEnvironment,
    readonly pointer: bigint,
  ) {}

  static create(environment: OrtEnvironment): RunOptions {
    const out: OutPointer = [null];
    environment.api.check('CreateRunOptions', out);
    return new RunOptions(environment, out[0] as bigint);
  }

  terminate(): void {
    this.environment.api.check('RunOptionsSetTerminate', this.pointer);
  }

  reset(): void {
    this.environment.api.check('RunOptionsUnsetTerminate', this.pointer);
  }

  release(): void {
    this.environment.api.release('ReleaseRunOptions', this.pointer);
  }
}

/** Stops a run from a thread that has no environment of its own. @param pointer `RunOptions.pointer`, still alive. */
export function terminateRun(pointer: bigint): void {
  loadCApi(runtimeLibraryPath()).check('RunOptionsSetTerminate', pointer);
}

/**
 * A session with its arguments laid out once, so that a run allocates nothing on the JavaScript side. Outputs given
 * as undefined are allocated by ONNX Runtime and handed over by `takeOutput`.
 */
export class BoundRun {
  private readonly inputNames: CStrings;
  private readonly outputNames: CStrings;
  private readonly inputValues: BigUint64Array;
  private readonly outputValues: BigUint64Array;
  private readonly arguments: readonly unknown[];
  /** Whatever is bound stays alive with the binding. */
  private readonly bound: { readonly inputs: OrtTensor[]; readonly outputs: (OrtTensor | undefined)[] };

  constructor(
    private session: OrtSession,
    inputs: ReadonlyMap<string, OrtTensor>,
    outputs: ReadonlyMap<string, OrtTensor | undefined>,
  ) {
    this.bound = { inputs: [...inputs.values()], outputs: [...outputs.values()] };
    this.inputNames = new CStrings([...inputs.keys()]);
    this.outputNames = new CStrings([...outputs.keys()]);
    this.inputValues = offHeap(this.bound.inputs.map((tensor) => tensor.pointer));
    this.outputValues = offHeap(this.bound.outputs.map((tensor) => tensor?.pointer ?? 0n));
    this.arguments = [
      addressOf(this.inputNames.pointers),
      addressOf(this.inputValues),
      inputs.size,
      addressOf(this.outputNames.pointers),
      outputs.size,
      addressOf(this.outputValues),
    ];
  }

  /** Another session of the same graph, for the runs to come; the one before may be released. */
  setSession(session: OrtSession): void {
    this.session = session;
  }

  /** Another tensor in the place of an input, for the runs to come. @param position among the inputs given at first. */
  setInput(position: number, tensor: OrtTensor): void {
    this.bound.inputs[position] = tensor;
    this.inputValues[position] = tensor.pointer;
  }

  /** Another tensor in the place of an output. @param position among the outputs given at first. */
  setOutput(position: number, tensor: OrtTensor): void {
    this.bound.outputs[position] = tensor;
    this.outputValues[position] = tensor.pointer;
  }

  /** Runs on the calling thread (and the pool). @throws SluiceError `runtime`. */
  run(options: RunOptions): void {
    const { api } = this.session.environment;
    const status = api.functions.Run(this.session.pointer, options.pointer, ...this.arguments) as Pointer;
    if (status !== null) throw api.raise(status);
  }

  /** The same off the JavaScript thread. Nothing bound may change until it settles. */
  runAsync(options: RunOptions): Promise<void> {
    const { api } = this.session.environment;
    return new Promise((resolve, reject) => {
      const done = (error: unknown, status: Pointer): void => {
        if (error) reject(SluiceError.from(error, 'runtime'));
        else if (status !== null) reject(api.raise(status));
        else resolve();
      };
      api.functions.Run.async(this.session.pointer, options.pointer, ...this.arguments, done);
    });
  }

  /** Ownership of an output that ONNX Runtime allocated in the last run; undefined if it gave none (optional). */
  takeOutput(position: number): OrtTensor | undefined {
    const pointer = this.outputValues[position] ?? 0n;
    this.outputValues[position] = 0n;
    return pointer === 0n ? undefined : new OrtTensor(this.session.environment, pointer);
  }
}

/** NUL-terminated strings and an array of pointers to them, in memory that does not move. */
class CStrings {
  readonly pointers: BigUint64Array;
  private readonly text: Uint8Array;

  constructor(strings: readonly string[]) {
    const encoded = strings.map((text) => Buffer.from(`${text}\0`, 'utf8'));
    // Uint8Arrays over an explicit ArrayBuffer live outside the moving heap.
    this.text = new Uint8Array(
      new ArrayBuffer(
        Math.max(
          1,
          encoded.reduce((sum, item) => sum + item.length, 0),
        ),
      ),
    );
    const base = addressOf(this.text);
    let offset = 0;
    const addresses = encoded.map((item) => {
      this.text.set(item, offset);
      const address = base + BigInt(offset);
      offset += item.length;
      return address;
    });
    this.pointers = offHeap(addresses);
  }
}

function offHeap(values: readonly bigint[]): BigUint64Array {
  const array = new BigUint64Array(new ArrayBuffer(8 * Math.max(1, values.length)));
  array.set(values);
  return array;
}
