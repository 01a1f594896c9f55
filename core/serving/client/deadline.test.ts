import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import { Deadline } from './deadline';

/** Timers as the operating system has them, which count on; and a time of day that jumps. */
class JumpingClock implements Clock {
  private elapsedMs = 0;
  private readonly timers = new Set<{ readonly atMs: number; readonly run: () => void }>();
  jumpedMs = 0;

  nowMs(): number {
    return 1e12 + this.elapsedMs + this.jumpedMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.elapsedMs + delayMs, run };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  pass(ms: number): void {
    const untilMs = this.elapsedMs + ms;
    for (;;) {
      const [next] = [...this.timers].filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs);
      if (next === undefined) break;
      this.timers.delete(next);
      this.elapsedMs = Math.max(this.elapsedMs, next.atMs);
      next.run();
    }
    this.elapsedMs = untilMs;
  }

  get pending(): number {
    return this.timers.size;
  }
}

const CANCELLED = new SluiceError('cancelled', 'given up');

describe('a deadline', () => {
  it.each([0, -3_600_000, 3_600_000])('passes at its time while the clock jumps by %i ms', (jumpMs) => {
    const clock = new JumpingClock();
    const deadline = new Deadline(clock, 1000, 'edge', undefined);
    clock.pass(400);
    clock.jumpedMs = jumpMs;
    clock.pass(599);
    expect(deadline.signal.aborted).toBe(false);
    expect(deadline.explain(CANCELLED).code).toBe('cancelled');
    clock.pass(1);
    expect(deadline.signal.aborted).toBe(true);
    expect(deadline.explain(CANCELLED)).toMatchObject({ code: 'timeout', details: { deadlineMs: 1000 } });
    deadline.end();
  });

  it('ends any pause at its time at the latest, whatever the clock does, and leaves no timer', async () => {
    const step = fc.record({ jumpMs: fc.integer({ min: -1e7, max: 1e7 }), passMs: fc.nat(300) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 10 }),
        fc.integer({ min: 1, max: 5000 }),
        async (steps, pauseMs) => {
          const clock = new JumpingClock();
          const deadline = new Deadline(clock, 1000, 'edge', undefined);
          let outcome: string | undefined;
          const pause = deadline.pause(pauseMs).then(
            () => (outcome = 'paused'),
            (error: unknown) => (outcome = SluiceError.from(error).code),
          );
          let passedMs = 0;
          for (const { jumpMs, passMs } of steps) {
            clock.jumpedMs += jumpMs;
            clock.pass(passMs);
            passedMs += passMs;
            expect(typeof deadline.hasRoom(1)).toBe('boolean');
            await Promise.resolve();
            await Promise.resolve();
            const isOver = passedMs >= Math.min(1000, pauseMs);
            expect(outcome === undefined).toBe(!isOver);
          }
          clock.pass(1000);
          await pause;
          expect(outcome).toBe(pauseMs < 1000 ? 'paused' : 'timeout');
          deadline.end();
          expect(clock.pending).toBe(0);
        },
      ),
    );
  });

  it('ends at once with its caller, before and while', async () => {
    const clock = new JumpingClock();
    const early = new Deadline(clock, 1000, 'edge', AbortSignal.abort());
    await expect(early.pause(10)).rejects.toMatchObject({ code: 'cancelled' });
    const caller = new AbortController();
    const deadline = new Deadline(clock, 1000, 'edge', caller.signal);
    const pause = expect(deadline.pause(10)).rejects.toMatchObject({ code: 'cancelled' });
    caller.abort();
    await pause;
    early.end();
    deadline.end();
    expect(clock.pending).toBe(0);
  });
});
