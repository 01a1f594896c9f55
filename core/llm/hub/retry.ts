import type { Clock } from '../../base';
import { SluiceError } from '../../contract';

/** A failure that may pass: the connection broke, or the server asked for patience. */
export class TransientError extends Error {
  /** @param waitMs what the server asked for. */
  constructor(
    readonly failure: SluiceError,
    readonly waitMs?: number,
  ) {
    super(failure.message, { cause: failure });
  }
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal;
  /** Failures in a row without progress before it is given up. */
  readonly maxFailures: number;
  readonly onWait?: (failure: SluiceError, waitMs: number) => void;
}

const FIRST_WAIT_MS = 500;
const MAX_BACK_OFF_MS = 30_000;
/** A server that wants more is not waited for: the caller is told. */
const MAX_WAIT_MS = 120_000;
/** However much progress there was between them. */
const MAX_FAILURES_IN_ALL = 100;

/**
 * Does a thing again while it fails with `TransientError`, after pauses that double.
 * @param work calls `progressed` when it got on: the count of failures begins anew.
 * @throws the failure at last, or whatever else `work` throws; SluiceError `cancelled`.
 */
export async function withRetries<T>(
  work: (progressed: () => void) => Promise<T>,
  options: RetryOptions,
): Promise<T> {
  let failures = 0;
  for (let inAll = 1; ; inAll += 1) {
    try {
      return await work(() => {
        failures = 0;
      });
    } catch (thrown) {
      if (!(thrown instanceof TransientError)) throw thrown;
      failures += 1;
      const waitMs = thrown.waitMs ?? Math.min(MAX_BACK_OFF_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
      const isOver = failures >= options.maxFailures || inAll >= MAX_FAILURES_IN_ALL || waitMs > MAX_WAIT_MS;
      if (isOver) throw thrown.failure;
      options.onWait?.(thrown.failure, waitMs);
      await pause(waitMs, options);
    }
  }
}

function pause(waitMs: number, { clock, signal }: RetryOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      stop();
      reject(new SluiceError('cancelled', 'Waiting for the hub was cancelled.'));
    };
    const stop = clock.after(waitMs, () => {
      signal?.removeEventListener('abort', cancel);
      resolve();
    });
    if (signal?.aborted) cancel();
    else signal?.addEventListener('abort', cancel, { once: true });
  });
}
