import { afterAll, beforeAll } from 'vitest';
import { OrtEnvironment, RunOptions } from '../index';

/** Set once the tests of the file run. */
export interface OpenRuntime {
  environment: OrtEnvironment;
  options: RunOptions;
}

/** ONNX Runtime for all tests of a file; called once, outside of them. */
export function openRuntime(threads: number): OpenRuntime {
  const runtime = {} as OpenRuntime;
  beforeAll(() => {
    runtime.environment = OrtEnvironment.open({ threads });
    runtime.options = RunOptions.create(runtime.environment);
  });
  afterAll(() => {
    runtime.options.release();
    runtime.environment.close();
  });
  return runtime;
}
