import type { Clock } from '../../base';
import { SluiceError } from '../../contract';

/** The time a call may take and the caller's own signal, as one signal. `end` must be called. */
export class Deadline {
  private readonly controller = new AbortController();
  private readonly endsMs: number;
  private readonly stopTimer: () => void;
  private hasPassed = false;
  private readonly cancel = (): void => this.controller.abort();

  /** @param where names the endpoint in errors. */
  constructor(
    private readonly clock: Clock,
    private readonly deadlineMs: number,
    private readonly where: string,
    private readonly callerSignal: AbortSignal | undefined,
  ) {
    this.endsMs = clock.nowMs() + deadlineMs;
    this.stopTimer = clock.after(deadlineMs, () => {
      this.hasPassed = true;
      this.controller.abort();
    });
    callerSignal?.addEventListener('abort', this.cancel, { once: true });
    if (callerSignal?.aborted) this.cancel();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Whether anything can still be done after a pause. */
  hasRoom(pauseMs: number): boolean {
    return this.clock.nowMs() + pauseMs < this.endsMs;
  }

  /** @throws SluiceError `timeout`, `cancelled`. */
  pause(pauseMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const give = (): void => {
        stop();
        reject(this.explain(new SluiceError('cancelled', `The request to ${this.where} was given up.`)));
      };
      const stop = this.clock.after(pauseMs, () => {
        this.signal.removeEventListener('abort', give);
        resolve();
      });
      if (this.signal.aborted) give();
      else this.signal.addEventListener('abort', give, { once: true });
    });
  }

  /** Tells a deadline that passed from a caller that gave up. */
  explain(error: SluiceError): SluiceError {
    if (error.code !== 'cancelled' || !this.hasPassed) return error;
    const { where, deadlineMs } = this;
    return new SluiceError(
      'timeout',
      `${where} did not answer within ${deadlineMs} ms; use another endpoint or allow more time.`,
      { deadlineMs },
      { cause: error },
    );
  }

  end(): void {
    this.stopTimer();
    this.callerSignal?.removeEventListener('abort', this.cancel);
  }
}
