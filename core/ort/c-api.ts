import koffi from 'koffi';
import { SluiceError } from '../contract';
import { turnTelemetryOff } from './telemetry-off';

/** A native pointer; `null` is the null pointer (koffi's representation). */
export type Pointer = bigint | null;

/** Where a function may write one pointer, or one number, through koffi's array-as-out-parameter. */
export type OutPointer = [Pointer];
export type OutNumber = [number | bigint];

/** The C API version asked for. Everything used here has been in the table since version 12. */
const API_VERSION = 17;

/**
 * Position and prototype of each function used, by name. ONNX Runtime freezes the order of its table
 * (onnxruntime_c_api.cc: "The ordering of these fields MUST not change").
 */
const FUNCTIONS = {
  GetErrorMessage: [2, 'const char* (void* status)'],
  DisableTelemetryEvents: [6, 'void* (void* env)'],
  CreateSession: [7, 'void* (void* env, const char* path, void* options, _Out_ void** session)'],
  CreateSessionFromArray: [
    8,
    'void* (void* env, void* model, size_t bytes, void* options, _Out_ void** session)',
  ],
  Run: [
    9,
    'void* (void* session, void* runOptions, void* inputNames, void* inputs, size_t inputCount, void* outputNames, size_t outputCount, void* outputs)',
  ],
  CreateSessionOptions: [10, 'void* (_Out_ void** options)'],
  SetOptimizedModelFilePath: [11, 'void* (void* options, const char* path)'],
  DisableCpuMemArena: [19, 'void* (void* options)'],
  SetSessionGraphOptimizationLevel: [23, 'void* (void* options, int level)'],
  SetIntraOpNumThreads: [24, 'void* (void* options, int threads)'],
  SessionGetInputCount: [30, 'void* (void* session, _Out_ size_t* count)'],
  SessionGetOutputCount: [31, 'void* (void* session, _Out_ size_t* count)'],
  SessionGetInputTypeInfo: [33, 'void* (void* session, size_t index, _Out_ void** info)'],
  SessionGetOutputTypeInfo: [34, 'void* (void* session, size_t index, _Out_ void** info)'],
  SessionGetInputName: [36, 'void* (void* session, size_t index, void* allocator, _Out_ void** name)'],
  SessionGetOutputName: [37, 'void* (void* session, size_t index, void* allocator, _Out_ void** name)'],
  CreateRunOptions: [39, 'void* (_Out_ void** options)'],
  RunOptionsSetTerminate: [46, 'void* (void* options)'],
  RunOptionsUnsetTerminate: [47, 'void* (void* options)'],
  CreateTensorWithDataAsOrtValue: [
    49,
    'void* (void* memoryInfo, void* data, size_t bytes, void* shape, size_t rank, int dtype, _Out_ void** value)',
  ],
  IsTensor: [50, 'void* (void* value, _Out_ int* result)'],
  GetTensorMutableData: [51, 'void* (void* value, _Out_ void** data)'],
  CastTypeInfoToTensorInfo: [55, 'void* (void* info, _Out_ void** tensorInfo)'],
  GetTensorElementType: [60, 'void* (void* tensorInfo, _Out_ int* dtype)'],
  GetDimensionsCount: [61, 'void* (void* tensorInfo, _Out_ size_t* rank)'],
  GetDimensions: [62, 'void* (void* tensorInfo, void* dims, size_t rank)'],
  GetTensorTypeAndShape: [65, 'void* (void* value, _Out_ void** tensorInfo)'],
  CreateCpuMemoryInfo: [69, 'void* (int allocatorType, int memType, _Out_ void** info)'],
  AllocatorFree: [76, 'void* (void* allocator, void* pointer)'],
  GetAllocatorWithDefaultOptions: [78, 'void* (_Out_ void** allocator)'],
  ReleaseEnv: [92, 'void (void* env)'],
  ReleaseStatus: [93, 'void (void* status)'],
  ReleaseMemoryInfo: [94, 'void (void* info)'],
  ReleaseSession: [95, 'void (void* session)'],
  ReleaseValue: [96, 'void (void* value)'],
  ReleaseRunOptions: [97, 'void (void* options)'],
  ReleaseTypeInfo: [98, 'void (void* info)'],
  ReleaseTensorTypeAndShapeInfo: [99, 'void (void* tensorInfo)'],
  ReleaseSessionOptions: [100, 'void (void* options)'],
  CreateEnvWithGlobalThreadPools: [
    119,
    'void* (int logLevel, const char* logId, void* threading, _Out_ void** env)',
  ],
  DisablePerSessionThreads: [120, 'void* (void* options)'],
  CreateThreadingOptions: [121, 'void* (_Out_ void** options)'],
  ReleaseThreadingOptions: [122, 'void (void* options)'],
  GetAvailableProviders: [125, 'void* (_Out_ void** names, _Out_ int* count)'],
  ReleaseAvailableProviders: [126, 'void* (void* names, int count)'],
  AddSessionConfigEntry: [130, 'void* (void* options, const char* key, const char* value)'],
  CreateAndRegisterAllocator: [144, 'void* (void* env, void* memoryInfo, void* arenaConfig)'],
  SetGlobalIntraOpNumThreads: [147, 'void* (void* threading, int threads)'],
  SetGlobalInterOpNumThreads: [148, 'void* (void* threading, int threads)'],
  SetGlobalSpinControl: [149, 'void* (void* threading, int allow)'],
  CreateArenaCfg: [
    156,
    'void* (size_t maxBytes, int extendStrategy, int initialChunkBytes, int maxDeadBytes, _Out_ void** config)',
  ],
  ReleaseArenaCfg: [157, 'void (void* config)'],
  SessionOptionsAppendExecutionProvider: [
    216,
    'void* (void* options, const char* name, const char** keys, const char** values, size_t count)',
  ],
} as const satisfies Record<string, readonly [number, string]>;

export type FunctionName = keyof typeof FUNCTIONS;
/** A C function: called on this thread, or by `async` on another with `(error, result)` as the last argument. */
type NativeFunction = ((...args: unknown[]) => unknown) & { readonly async: (...args: unknown[]) => void };

/** The functions of one loaded ONNX Runtime library. */
export interface CApi {
  readonly version: string;
  /** Calls a function that returns a status. @throws SluiceError `runtime` with ONNX Runtime's own message. */
  check(name: FunctionName, ...args: unknown[]): void;
  /** Calls a function that returns nothing. */
  release(name: FunctionName, pointer: Pointer): void;
  /** The bare function, for hot paths and asynchronous calls. A non-null result is a status to `raise`. */
  readonly functions: Readonly<Record<FunctionName, NativeFunction>>;
  /** Turns a status into the error it holds, and releases it. */
  raise(status: Pointer): SluiceError;
}

const loaded = new Map<string, CApi>();
/** koffi unloads a library whose handle was collected, however many of its functions are still in use. */
const libraries: unknown[] = [];

/** Loads the library once a thread and path; later calls return the same object. */
export function loadCApi(libraryPath: string): CApi {
  const known = loaded.get(libraryPath);
  if (known) return known;
  const api = bindCApi(libraryPath);
  loaded.set(libraryPath, api);
  return api;
}

function bindCApi(libraryPath: string): CApi {
  turnTelemetryOff();
  const library = koffi.load(libraryPath);
  libraries.push(library);
  const base = library.func('void* OrtGetApiBase()')() as bigint;
  const [getApi, getVersion] = koffi.decode(base, 'void*', 2) as [bigint, bigint];
  const version = koffi.call(getVersion, koffi.proto('const char* ()')) as string;
  const table = koffi.call(getApi, koffi.proto('void* (uint32_t version)'), API_VERSION) as Pointer;
  if (table === null) {
    throw new SluiceError(
      'unsupported',
      `ONNX Runtime ${version} at ${libraryPath} has no C API version ${API_VERSION}; install 1.17 or newer.`,
    );
  }
  const entries = Object.entries(FUNCTIONS) as [FunctionName, readonly [number, string]][];
  const last = Math.max(...entries.map(([, [index]]) => index));
  const pointers = koffi.decode(table, 'void*', last + 1) as bigint[];
  const functions = Object.fromEntries(
    entries.map(([name, [index, prototype]]) => [
      name,
      koffi.decode(pointers[index], koffi.proto(prototype)),
    ]),
  ) as Record<FunctionName, NativeFunction>;

  const raise = (status: Pointer): SluiceError => {
    const message = functions.GetErrorMessage(status) as string;
    functions.ReleaseStatus(status);
    return new SluiceError('runtime', `ONNX Runtime: ${message}`);
  };
  return {
    version,
    functions,
    raise,
    check: (name, ...args) => {
      const status = functions[name](...args) as Pointer;
      if (status !== null) throw raise(status);
    },
    release: (name, pointer) => {
      functions[name](pointer);
    },
  };
}
