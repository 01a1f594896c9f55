/**
 * Shared by the thread that asks for a run and the executor: whether the run is to stop, and whether it is the one
 * being executed. ONNX Runtime's own stop flag belongs to a model, not to a run; raised for a run that still waits its
 * turn, or is over, it would stop another one, or touch memory that is gone.
 */
export type StopSignal = Int32Array;

const REQUESTED = 0;
const PHASE = 1;
const IDLE = 0;
const RUNNING = 1;
const STOPPING = 2;

/** In shared memory, for a run that waits its turn. */
export function createStopSignal(): StopSignal {
  return new Int32Array(new SharedArrayBuffer(8));
}

export function isStopRequested(signal: StopSignal): boolean {
  return Atomics.load(signal, REQUESTED) === 1;
}

/** On the asking thread. @param terminate raises the model's stop flag; called only while the run is executed. */
export function requestStop(signal: StopSignal, terminate: () => void): void {
  Atomics.store(signal, REQUESTED, 1);
  if (Atomics.compareExchange(signal, PHASE, RUNNING, STOPPING) !== RUNNING) return;
  try {
    terminate();
  } finally {
    Atomics.store(signal, PHASE, RUNNING);
    Atomics.notify(signal, PHASE);
  }
}

/** On the executor's thread: does the run, and holds its end back while the flag is being raised. */
export async function whileRunning<T>(signal: StopSignal, run: () => Promise<T>): Promise<T> {
  Atomics.store(signal, PHASE, RUNNING);
  try {
    return await run();
  } finally {
    while (Atomics.compareExchange(signal, PHASE, RUNNING, IDLE) === STOPPING)
      Atomics.wait(signal, PHASE, STOPPING);
  }
}
