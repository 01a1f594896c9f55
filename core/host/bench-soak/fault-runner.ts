import { systemClock } from '../../base';
import type { DrawnFault, FaultKind } from './faults/draw-faults';
import type { FaultWay, Injector } from './faults/injector';
import type { LaneRunner } from './lane-runner';

/** A fault that was brought about. */
export interface FaultRow {
  readonly kind: FaultKind;
  readonly way: FaultWay;
  readonly detail: string;
  /** Since the work began. */
  readonly startSec: number;
  readonly endSec: number;
  /** From its end until every kind of work had succeeded again. */
  readonly recoveredAfterMs?: number;
  /** The work that was the last to succeed again. */
  readonly slowest?: string;
  /** Work that did not within a minute, with what it said last. */
  readonly notRecovered: readonly string[];
}

const PATIENCE_MS = 60_000;

/** Brings the faults about one after the other; each waits until the work has recovered from the one before. */
export class FaultRunner {
  readonly rows: FaultRow[] = [];
  private readonly startMs = systemClock.nowMs();

  constructor(
    private readonly injector: Injector,
    private readonly lanes: readonly LaneRunner[],
    private readonly log: (message: string) => void,
  ) {}

  /**
   * Resolves `totalMs` after the start at the earliest. Where recovering takes longer than was thought, the last ones do
   * not come.
   * @param faults in their order. @param least of them come, whatever the time.
   */
  async run(faults: readonly DrawnFault[], totalMs: number, least: number): Promise<void> {
    for (const fault of faults) {
      if (this.rows.length >= least && systemClock.nowMs() > this.startMs + totalMs) break;
      await until(this.startMs + fault.atMs);
      await this.one(fault);
    }
    await until(this.startMs + totalMs);
  }

  private async one(fault: DrawnFault): Promise<void> {
    const startSec = this.sec();
    for (const lane of this.lanes) lane.faultBegins();
    const { way, detail } = await this.injector.inject(fault);
    const endMs = systemClock.nowMs();
    const waiting = new Set(this.lanes);
    let slowest = '';
    const recoveries = this.lanes.map(async (lane) => {
      await lane.faultEnds();
      slowest = lane.name;
      waiting.delete(lane);
    });
    const all = Promise.all(recoveries).then(() => true);
    const isRecovered = await Promise.race([all, late(all)]);
    const recoveredAfterMs = Math.round(systemClock.nowMs() - endMs);
    const notRecovered = [...waiting].map(
      (lane) => `${lane.name}: ${lane.lastFailure || 'at work, without a failure'}`,
    );
    const endSec = Math.round((endMs - this.startMs) / 100) / 10;
    const row: FaultRow = { kind: fault.kind, way, detail, startSec, endSec, notRecovered };
    this.rows.push(isRecovered ? { ...row, recoveredAfterMs, slowest } : row);
    const outcome = isRecovered
      ? `all work again after ${recoveredAfterMs} ms, ${slowest} last`
      : `NOT RECOVERED: ${notRecovered.join('; ')}`;
    this.log(`${startSec} s: ${fault.kind} (${detail}), over at ${endSec} s; ${outcome}`);
  }

  private sec(): number {
    return Math.round((systemClock.nowMs() - this.startMs) / 100) / 10;
  }
}

/** False when `work` takes too long; leaves no timer behind. */
function late(work: Promise<unknown>): Promise<false> {
  return new Promise((resolve) => {
    const stop = systemClock.after(PATIENCE_MS, () => resolve(false));
    void work.then(stop);
  });
}

function until(atMs: number): Promise<void> {
  const ms = atMs - systemClock.nowMs();
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => void systemClock.after(ms, resolve));
}
