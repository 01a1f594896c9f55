import { fork } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { workerFile } from '../base';
import { SluiceError, type WireError } from '../contract';
import { PARTIAL_SUFFIX, type CompileProgress } from './compile';
import type { CompileRequest } from './compile-request';

export type CompileEvent =
  | { readonly kind: 'progress'; readonly progress: CompileProgress }
  | { readonly kind: 'done'; readonly peakBytes: number }
  | { readonly kind: 'failed'; readonly error: WireError };

/** How a process ends that native code brought down. */
const CRASHES: readonly string[] = [
  'SIGSEGV',
  'SIGBUS',
  'SIGILL',
  'SIGFPE',
  'SIGABRT',
  'exit code 3221225477',
];

/**
 * Compiles in a process of its own: optimising hands a foreign model to native code for the first time.
 * @param signal kills it at once; what it had written is removed.
 * @param file of the process.
 * @returns the process's peak memory, bytes.
 * @throws SluiceError as `compileStore` does; `cancelled`; `bad-model` when it brought the process down; `internal` when that
 * died otherwise.
 */
export async function compileInProcess(
  request: CompileRequest,
  onProgress: (progress: CompileProgress) => void,
  signal: AbortSignal,
  file = workerFile('compile-process'),
): Promise<{ peakBytes: number }> {
  if (signal.aborted) throw new SluiceError('cancelled', 'The import was cancelled.');
  const child = fork(file, {
    // Inside Electron the executable is Electron itself; this makes it behave as Node.
    env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  let stderr = '';
  child.stderr?.on('data', (text: Buffer) => (stderr = (stderr + text.toString()).slice(-2000)));
  const outcomes: CompileEvent[] = [];
  child.on('message', (event: CompileEvent) => {
    if (event.kind === 'progress') onProgress(event.progress);
    else outcomes.push(event);
  });
  try {
    const ended = new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killSignal) => resolve(killSignal ?? `exit code ${code}`));
    });
    child.send(request);
    const reason = await ended;
    const [outcome] = outcomes;
    if (outcome?.kind === 'done') return { peakBytes: outcome.peakBytes };
    await rm(`${request.storePath}${PARTIAL_SUFFIX}`, { recursive: true, force: true });
    if (wasAborted(signal)) throw new SluiceError('cancelled', 'The import was cancelled; nothing was kept.');
    if (outcome?.kind === 'failed') throw SluiceError.fromWire(outcome.error);
    if (CRASHES.includes(reason)) throw crashed(request.sourcePath, reason, stderr);
    throw new SluiceError(
      'internal',
      `The import of ${request.sourcePath} ended with ${reason}; nothing was kept. ` +
        `The machine may be out of memory. ${stderr.trim()}`.trim(),
      { reason },
    );
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

function crashed(sourcePath: string, reason: string, stderr: string): SluiceError {
  return new SluiceError(
    'bad-model',
    `${sourcePath} can't be imported: ONNX Runtime crashed on it (${reason}); nothing was kept. It is damaged, or made to ` +
      `do harm, or there was no memory left: get it again from where it was made. ${stderr.trim()}`.trim(),
    { reason },
  );
}

/** A fresh look: the compiler takes an earlier check for still true. */
function wasAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
