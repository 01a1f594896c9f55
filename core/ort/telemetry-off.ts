import { platform } from 'node:os';
import { isMainThread } from 'node:worker_threads';
import koffi from 'koffi';

/** Read by ONNX Runtime once, as its environment is made; a full opt-out elsewhere than on Windows (its pull request 27379). */
const OPT_OUT = 'ORT_DISABLE_TELEMETRY';

/**
 * Keeps this process's ONNX Runtime, and those of the processes it starts, from reporting to its makers. Since 1.29 the
 * official builds for Linux and macOS upload events unless told not to: names and hashes of models, errors, an identifier
 * of the machine that they keep on disk. What an operator runs is no business of anybody else.
 *
 * To be called before the library is loaded.
 */
export function turnTelemetryOff(): void {
  process.env[OPT_OUT] = '1';
  // A worker's process.env is a copy that getenv does not see.
  if (!isMainThread && platform() !== 'win32') setNativeVariable(OPT_OUT, '1');
}

function setNativeVariable(name: string, value: string): void {
  const setenv = koffi.load(null).func('int setenv(const char* name, const char* value, int overwrite)');
  setenv(name, value, 1);
}
