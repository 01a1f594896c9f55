import type { HostClock } from '../host-clock';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock that stands until it is told to go on. */
export class FakeClock implements HostClock {
  private now = Date.UTC(2026, 0, 1);
  private readonly timers = new Set<Timer>();

  nowMs(): number {
    return this.now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.now + delayMs, run };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Work that takes time and that nobody waits for: no timer goes off meanwhile. */
  spend(ms: number): void {
    this.now += ms;
  }

  /** Goes on, from timer to timer, letting everything they start settle in between. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.now + ms;
    await settle();
    for (;;) {
      const [next] = [...this.timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (!next) break;
      this.timers.delete(next);
      this.now = Math.max(this.now, next.atMs);
      next.run();
      await settle();
    }
    this.now = Math.max(this.now, untilMs);
  }
}

/** Lets promises that are ready run to their end. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}
