import { loadCApi, type OutPointer } from './c-api';
import type { OrtEnvironment } from './environment';
import { runtimeLibraryPath } from './library';

/** Stops runs that use it, from any thread of the process. */
export class RunOptions {
  private constructor(
    private readonly environment: OrtEnvironment,
    readonly pointer: bigint,
  ) {}

  /** @throws SluiceError `runtime`. */
  static create(environment: OrtEnvironment): RunOptions {
    const out: OutPointer = [null];
    environment.api.check('CreateRunOptions', out);
    return new RunOptions(environment, out[0] as bigint);
  }

  /** Stops the runs that use it now, and every later one until `reset`: they throw `runtime`. */
  terminate(): void {
    this.environment.api.check('RunOptionsSetTerminate', this.pointer);
  }

  /** Runs may use it again. */
  reset(): void {
    this.environment.api.check('RunOptionsUnsetTerminate', this.pointer);
  }

  /** Once, when no run uses it any more. */
  release(): void {
    this.environment.api.release('ReleaseRunOptions', this.pointer);
  }
}

/** Stops a run from a thread that has no environment of its own. @param pointer `RunOptions.pointer`, still alive. */
export function terminateRun(pointer: bigint): void {
  loadCApi(runtimeLibraryPath()).check('RunOptionsSetTerminate', pointer);
}
