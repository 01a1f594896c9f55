export { BoundRun } from './bound-run';
export { OrtEnvironment } from './environment';
export type { EnvironmentOptions } from './environment';
export { inLargePages } from './large-pages';
export { runtimeLibraryPath } from './library';
export { heapBytes, returnFreedBuffers } from './native-heap';
export {
  addressOf,
  allocateNativeMemory,
  copyFromNative,
  LargePageMemory,
  largePageMemoryBytes,
  MAX_BLOCK_BYTES,
  nativeMemoryBytes,
  releasePages,
  viewNativeMemory,
} from './native-memory';
export type { NativeMemory } from './native-memory';
export { RunOptions, terminateRun } from './run-options';
export { OrtSession } from './session';
export type { SessionPorts } from './session';
export type { OptimizationLevel, SessionOptions } from './session-options';
export { OrtTensor, tensorOver } from './tensor';
export type { TensorShape } from './tensor';
export { WholeModel } from './whole-model';
