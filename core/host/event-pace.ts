import type { Clock } from '../base';

/** Tells at once what comes after a pause, and what comes fast together once in a while. */
export class EventPace {
  private toldMs = -Infinity;
  private stop: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly everyMs: number,
    private readonly tell: () => void,
  ) {}

  /** Something changed. */
  changed(): void {
    if (this.stop) return;
    const waitMs = this.toldMs + this.everyMs - this.clock.nowMs();
    if (waitMs <= 0) {
      this.flush();
      return;
    }
    this.stop = this.clock.after(waitMs, () => this.flush());
  }

  /** Tells what waits, now. */
  flush(): void {
    this.cancel();
    this.toldMs = this.clock.nowMs();
    this.tell();
  }

  cancel(): void {
    this.stop?.();
    this.stop = undefined;
  }
}
