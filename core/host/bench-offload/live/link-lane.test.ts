import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FakeClock } from '../../test-support/fake-clock';
import { LinkLane } from './link-lane';
import type { LinkConditions } from './link-lane';

interface Arrival {
  readonly what: number;
  readonly atMs: number;
}

class Bench {
  readonly clock = new FakeClock();
  readonly startMs = this.clock.nowMs();
  readonly sent: Arrival[] = [];
  readonly arrived: Arrival[] = [];
  readonly lane: LinkLane;
  private number = 0;

  constructor(conditions: LinkConditions) {
    this.lane = new LinkLane(this.clock, conditions);
  }

  get elapsedMs(): number {
    return this.clock.nowMs() - this.startMs;
  }

  send(bytes: number, isWanted = (): boolean => true): void {
    const what = this.number;
    this.number += 1;
    this.lane.send({
      bytes,
      isWanted,
      onSent: () => this.sent.push({ what, atMs: this.elapsedMs }),
      deliver: () => this.arrived.push({ what, atMs: this.elapsedMs }),
    });
  }
}

const times = (arrivals: readonly Arrival[]): number[] => arrivals.map(({ atMs }) => Math.round(atMs));

describe('one direction of a link', () => {
  it.each([
    ['nothing', { delayMs: 0, bytesPerSec: Infinity }, [0, 0, 0]],
    ['delay', { delayMs: 30, bytesPerSec: Infinity }, [30, 30, 30]],
    // Each of 1000 bytes keeps the link busy for 100 ms.
    ['rate', { delayMs: 0, bytesPerSec: 10_000 }, [0, 100, 200]],
    ['both', { delayMs: 30, bytesPerSec: 10_000 }, [30, 130, 230]],
  ])('%s', async (_what, conditions, expected) => {
    const bench = new Bench(conditions);
    for (let i = 0; i < 3; i += 1) bench.send(1000);
    await bench.clock.advance(1000);
    expect(times(bench.arrived)).toEqual(expected);
  });

  it('keeps the rate and the delay, loses nothing and keeps the order, whatever is sent when', async () => {
    const parcel = fc.record({ bytes: fc.integer({ min: 0, max: 9000 }), pauseMs: fc.nat(50) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(parcel, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1000, max: 1e6 }),
        fc.nat(100),
        async (parcels, bytesPerSec, delayMs) => {
          const bench = new Bench({ delayMs, bytesPerSec });
          for (const { bytes, pauseMs } of parcels) {
            bench.send(bytes);
            await bench.clock.advance(pauseMs);
          }
          await bench.clock.advance(1e6);
          expect(bench.arrived.map(({ what }) => what)).toEqual(parcels.map((_, index) => index));
          // Between any two departures no more went out than the rate and what an idle link saves allow.
          for (let from = 0; from < parcels.length; from += 1) {
            let bytes = 0;
            for (let to = from; to + 1 < parcels.length; to += 1) {
              bytes += parcels[to]!.bytes;
              const tookMs = bench.sent[to + 1]!.atMs - bench.sent[from]!.atMs;
              expect(bytes).toBeLessThanOrEqual(((tookMs + 5) / 1000) * bytesPerSec + 2);
            }
          }
          for (const [index, { atMs }] of bench.arrived.entries()) {
            expect(atMs - bench.sent[index]!.atMs).toBeGreaterThanOrEqual(delayMs - 0.01);
          }
        },
      ),
      { numRuns: 30 },
    );
  }, 60_000);

  it('new conditions hold for what is under way', async () => {
    const bench = new Bench({ delayMs: 1000, bytesPerSec: Infinity });
    bench.send(1);
    await bench.clock.advance(100);
    bench.lane.set({ delayMs: 150, bytesPerSec: Infinity });
    await bench.clock.advance(40);
    expect(bench.arrived).toEqual([]);
    await bench.clock.advance(10);
    expect(times(bench.arrived)).toEqual([150]);

    bench.lane.set({ delayMs: 0, bytesPerSec: 1 });
    bench.send(1000);
    bench.send(1000);
    await bench.clock.advance(50);
    expect(bench.arrived).toHaveLength(2);
    bench.lane.set({ delayMs: 0, bytesPerSec: 1e6 });
    await bench.clock.advance(0);
    expect(times(bench.arrived)).toEqual([150, 150, 200]);
  });

  it('stalls, and goes on where it was', async () => {
    const bench = new Bench({ delayMs: 10, bytesPerSec: Infinity });
    bench.send(1);
    bench.lane.stall(true);
    bench.send(1);
    await bench.clock.advance(500);
    expect(bench.arrived).toEqual([]);
    bench.lane.stall(false);
    await bench.clock.advance(100);
    expect(times(bench.arrived)).toEqual([500, 510]);
  });

  it('what nobody waits for takes no room', async () => {
    const bench = new Bench({ delayMs: 0, bytesPerSec: 1000 });
    bench.send(1000);
    bench.send(1e6, () => false);
    bench.send(1000);
    await bench.clock.advance(2000);
    expect(bench.arrived.map(({ what }) => what)).toEqual([0, 2]);
    expect(times(bench.arrived)).toEqual([0, 1000]);
  });
});
