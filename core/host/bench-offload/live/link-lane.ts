import type { Clock } from '../../../base';

/** What a link does to everything that goes over it. */
export interface LinkConditions {
  /** One way. */
  readonly delayMs: number;
  /** In each direction, for all connections together. Infinity: no limit. */
  readonly bytesPerSec: number;
}

/** Something on its way. */
export interface Parcel {
  readonly bytes: number;
  /** False once nobody waits for it: then it takes no room on the link. */
  readonly isWanted: () => boolean;
  /** It has left: the sender may hand over more. */
  readonly onSent: () => void;
  readonly deliver: () => void;
}

/** What an idle link lets through at once: that many milliseconds' worth. */
const BURST_MS = 5;
/** Rounding of a clock in milliseconds since the epoch. */
const TOLERANCE_MS = 1e-3;
const TOLERANCE_BYTES = 1;

/**
 * One direction of a link: what enters leaves in its order at the link's rate (a token bucket) and arrives after its
 * delay. New conditions hold at once, also for what is under way.
 */
export class LinkLane {
  private readonly waiting: Parcel[] = [];
  private readonly flying: { readonly parcel: Parcel; readonly sentMs: number }[] = [];
  private tokens = 0;
  private filledMs: number;
  private isStalled = false;
  private isPumping = false;
  private stopTimer: (() => void) | undefined;

  constructor(
    private readonly clock: Clock,
    private conditions: LinkConditions,
  ) {
    this.filledMs = clock.nowMs();
  }

  send(parcel: Parcel): void {
    this.waiting.push(parcel);
    this.pump();
  }

  set(conditions: LinkConditions): void {
    this.fill();
    this.conditions = conditions;
    // What the old rate had saved or owed says nothing about the new one.
    this.tokens = 0;
    this.pump();
  }

  /** While stalled nothing leaves or arrives, and nothing is lost. */
  stall(isStalled: boolean): void {
    this.fill();
    this.isStalled = isStalled;
    this.pump();
  }

  /** Forgets what is under way. */
  close(): void {
    this.stopTimer?.();
    this.waiting.length = 0;
    this.flying.length = 0;
  }

  private pump(): void {
    // What is delivered may send in turn.
    if (this.isPumping) return;
    this.isPumping = true;
    this.fill();
    if (!this.isStalled) {
      this.release();
      this.deliver();
    }
    this.isPumping = false;
    this.wait();
  }

  private fill(): void {
    const nowMs = this.clock.nowMs();
    const { bytesPerSec } = this.conditions;
    const gained = ((nowMs - this.filledMs) / 1000) * bytesPerSec;
    // Without a limit nobody counts.
    const isLimited = bytesPerSec !== Infinity;
    this.tokens = isLimited ? Math.min((BURST_MS / 1000) * bytesPerSec, this.tokens + gained) : 0;
    this.filledMs = nowMs;
  }

  private release(): void {
    for (;;) {
      const [parcel] = this.waiting;
      if (parcel === undefined) return;
      if (parcel.isWanted()) {
        if (this.tokens < -TOLERANCE_BYTES) return;
        // May owe: larger parcels than the bucket go out whole, and the next one waits for longer.
        if (this.conditions.bytesPerSec !== Infinity) this.tokens -= parcel.bytes;
        this.flying.push({ parcel, sentMs: this.clock.nowMs() });
      }
      this.waiting.shift();
      parcel.onSent();
    }
  }

  private deliver(): void {
    for (;;) {
      const [first] = this.flying;
      if (first === undefined || this.arrivesInMs(first.sentMs) > TOLERANCE_MS) return;
      this.flying.shift();
      first.parcel.deliver();
    }
  }

  private wait(): void {
    this.stopTimer?.();
    this.stopTimer = undefined;
    if (this.isStalled) return;
    const [first] = this.flying;
    const nextMs = Math.min(
      first === undefined ? Infinity : this.arrivesInMs(first.sentMs),
      this.waiting.length === 0 ? Infinity : (-this.tokens / this.conditions.bytesPerSec) * 1000,
    );
    if (nextMs === Infinity) return;
    this.stopTimer = this.clock.after(Math.max(0, nextMs), () => this.pump());
  }

  private arrivesInMs(sentMs: number): number {
    return sentMs + this.conditions.delayMs - this.clock.nowMs();
  }
}
