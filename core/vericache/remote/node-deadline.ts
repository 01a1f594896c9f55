import type { Clock } from '../../base';

const STEPS = 8;

/**
 * Aborts after a time in which this process could have taken an answer. A pass computes for seconds without a turn of
 * the event loop, while the answer waits in the socket: many short timers, of which a long pass lets one pass, tell that
 * from a node that is silent.
 */
export class NodeDeadline {
  hasPassed = false;
  private readonly controller = new AbortController();
  private stopTimer: () => void = () => undefined;
  private steps = 0;
  private readonly cancel = (): void => this.controller.abort();

  constructor(
    private readonly clock: Pick<Clock, 'after'>,
    private readonly deadlineMs: number,
    private readonly signals: readonly AbortSignal[],
  ) {
    for (const signal of signals) {
      signal.addEventListener('abort', this.cancel, { once: true });
      if (signal.aborted) this.cancel();
    }
    this.step();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  end(): void {
    this.stopTimer();
    for (const signal of this.signals) signal.removeEventListener('abort', this.cancel);
  }

  private step(): void {
    this.stopTimer = this.clock.after(this.deadlineMs / STEPS, () => {
      this.steps += 1;
      if (this.steps < STEPS) {
        this.step();
        return;
      }
      this.hasPassed = true;
      this.controller.abort();
    });
  }
}
