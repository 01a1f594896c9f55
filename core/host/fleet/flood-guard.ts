import type { Clock } from '../../base';

export interface FloodLimits {
  readonly framesPerSec: number;
  readonly bytesPerSec: number;
}

/** More than any box tells that means well, with large replies; a reply of more is read in pieces a second apart. */
export const FLOOD_LIMITS: FloodLimits = { framesPerSec: 2000, bytesPerSec: 128 << 20 };

const WINDOW_MS = 1000;

/** Stops reading from a box that sends too much until the second is over: what it sends then waits on its side. */
export class FloodGuard {
  private sinceMs = -Infinity;
  private frames = 0;
  private bytes = 0;
  private stopTimer: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly limits: FloodLimits,
    private readonly flow: {
      readonly pause: () => void;
      readonly resume: () => void;
      readonly onFlood: () => void;
    },
  ) {}

  received(bytes: number): void {
    const nowMs = this.clock.nowMs();
    if (nowMs - this.sinceMs >= WINDOW_MS) {
      this.sinceMs = nowMs;
      this.frames = 0;
      this.bytes = 0;
    }
    this.frames += 1;
    this.bytes += bytes;
    if (this.frames <= this.limits.framesPerSec && this.bytes <= this.limits.bytesPerSec) return;
    if (this.stopTimer) return;
    this.flow.pause();
    this.flow.onFlood();
    this.stopTimer = this.clock.after(this.sinceMs + WINDOW_MS - nowMs, () => {
      this.stopTimer = undefined;
      this.flow.resume();
    });
  }

  close(): void {
    this.stopTimer?.();
    this.stopTimer = undefined;
  }
}
