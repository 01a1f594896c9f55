import { SluiceError, type ExecutionProvider } from '../contract';
import type { OutPointer, Pointer } from './c-api';
import type { OrtEnvironment } from './environment';

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

/**
 * @returns the native options; the caller releases them (`ReleaseSessionOptions`).
 * @throws SluiceError `unsupported` for a provider that the library does not have, `runtime`.
 */
export function createOptions(environment: OrtEnvironment, options: SessionOptions): Pointer {
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
