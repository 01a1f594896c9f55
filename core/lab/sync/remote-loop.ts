import type { Clock, Random } from '../../base';
import { SluiceError } from '../../contract';

export interface LoopOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** One pass; it ends early by the signal. */
  readonly pass: (signal: AbortSignal) => Promise<PassEnd>;
}

/** Whether all is there that was here when the pass began. */
export interface PassEnd {
  readonly isComplete: boolean;
}

/** Between passes that went well. */
const INTERVAL_MS = 5_000;
const FIRST_BACKOFF_MS = 2_000;
const MOST_BACKOFF_MS = 300_000;

/**
 * Passes, one after the other, for as long as it is not closed. After failures it waits longer and longer, up to five minutes,
 * and not as long as others do: many boxes behind one link would all come at once when it is back.
 */
export class RemoteLoop {
  private failures = 0;
  private isAutomatic = false;
  private running: Promise<PassEnd> | undefined;
  private cancelWait: (() => void) | undefined;
  private readonly ended = new AbortController();
  private due: number | undefined;

  constructor(private readonly options: LoopOptions) {}

  get isRunning(): boolean {
    return this.running !== undefined;
  }

  /** When the next pass begins by itself, in milliseconds since the Unix epoch. */
  get nextMs(): number | undefined {
    return this.due;
  }

  get isBackingOff(): boolean {
    return this.failures > 0;
  }

  /** From now on passes begin by themselves. */
  start(): void {
    this.isAutomatic = true;
    this.wait(0);
  }

  /** A pass that begins after this call. @throws SluiceError why it ended early. */
  async now(): Promise<PassEnd> {
    while (this.running) await this.running.catch(() => undefined);
    if (this.ended.signal.aborted) throw new SluiceError('cancelled', 'The lab is being closed.');
    return this.run();
  }

  async close(): Promise<void> {
    this.ended.abort();
    this.cancelWait?.();
    while (this.running) await this.running.catch(() => undefined);
  }

  private run(): Promise<PassEnd> {
    this.cancelWait?.();
    this.due = undefined;
    this.running = this.options
      .pass(this.ended.signal)
      .then(
        (end) => {
          this.failures = end.isComplete ? 0 : this.failures + 1;
          return end;
        },
        (thrown: unknown) => {
          this.failures += 1;
          throw thrown;
        },
      )
      .finally(() => {
        this.running = undefined;
        this.wait(this.delayMs());
      });
    return this.running;
  }

  private wait(delayMs: number): void {
    if (!this.isAutomatic || this.ended.signal.aborted) return;
    const { clock } = this.options;
    this.due = clock.nowMs() + delayMs;
    this.cancelWait = clock.after(delayMs, () => {
      // What it ended with is kept by the pass itself.
      if (!this.running) void this.run().catch(() => undefined);
    });
  }

  private delayMs(): number {
    if (this.failures === 0) return INTERVAL_MS;
    const mostMs = Math.min(MOST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (this.failures - 1));
    return mostMs * (0.5 + this.options.random() / 2);
  }
}
