import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { systemClock } from '../../base';
import { deploymentSystem } from '../scenario/deployment';
import { mobilenetVariants } from '../scenario/mobilenet-variants';
import { stateLength } from '../scenario/system';
import type { FailedAttempt, LiveEndpoint } from './live-endpoint';
import { LiveTestbed } from './live-testbed';

const system = deploymentSystem(2, mobilenetVariants());
const deviceD0 = 0;
const edgeD4 = 12;
const DEADLINE_MS = 600;
const STAGES = { sendMs: 1, queueMs: 2, computeMs: 3, receiveMs: 4, sentBytes: 5, receivedBytes: 6 };

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** Answers after a time that can be changed; NaN: fails after 30 ms; Infinity: never, unless it is aborted. */
class Scripted implements LiveEndpoint {
  aborted = 0;
  leftAlone = false;
  asked = 0;

  constructor(
    readonly tier: LiveEndpoint['tier'],
    public responseMs: number,
    readonly id: string = tier,
    private readonly offered?: string,
  ) {}

  offers(variantId: string): boolean {
    return this.offered === undefined || this.offered === variantId;
  }

  infer(_user: number, _variantId: string, signal: AbortSignal) {
    this.asked += 1;
    const { responseMs } = this;
    return new Promise<{ responseMs: number; stages: typeof STAGES }>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        this.aborted += 1;
        reject(new Error('aborted'));
      });
      if (Number.isNaN(responseMs)) setTimeout(() => reject(new Error('connection reset')), 30);
      else if (Number.isFinite(responseMs))
        setTimeout(() => resolve({ responseMs, stages: STAGES }), responseMs);
    });
  }
}

function setUp(...all: readonly Scripted[]) {
  const failures: FailedAttempt[] = [];
  const answered: string[] = [];
  const testbed = new LiveTestbed(system, {
    endpoints: () => all.filter(({ leftAlone }) => !leftAlone),
    lastResorts: () => all.filter(({ leftAlone }) => leftAlone),
    observe: () => new Uint8Array(stateLength(2)),
    deadlineMs: DEADLINE_MS,
    clock: systemClock,
    onFailure: (_endpoint, failure) => failures.push(failure),
    onAnswer: (id) => answered.push(id),
  });
  const step = async (action: Uint8Array, thresholdPct = 89) => {
    const stepping = testbed.step(action, thresholdPct);
    await vi.runAllTimersAsync();
    return stepping;
  };
  return { testbed, failures, answered, step };
}

describe('live testbed', () => {
  it('asks the chosen endpoints at once and rewards as the simulation does', async () => {
    const { step, answered } = setUp(new Scripted('device', 100), new Scripted('edge', 40));
    const outcome = await step(Uint8Array.of(deviceD0, edgeD4));
    expect(Array.from(outcome.responseMs)).toEqual([100, 40]);
    expect(outcome.rewardMs).toBe(-70);
    expect(outcome.answers[1]).toEqual({
      by: { tier: 'edge', endpointId: 'edge', startMs: 0, stages: STAGES },
      responseMs: 40,
      failures: [],
    });
    expect(answered.sort()).toEqual(['device', 'edge']);
    const missed = await step(Uint8Array.of(deviceD0, edgeD4), 89.9);
    expect(missed.rewardMs).toBe(-DEADLINE_MS);
  });

  it('answers elsewhere when an endpoint dies in the middle, at the price of both attempts', async () => {
    const { step, failures } = setUp(new Scripted('device', 100), new Scripted('edge', Number.NaN));
    const outcome = await step(Uint8Array.of(deviceD0, edgeD4));
    expect(Array.from(outcome.responseMs)).toEqual([100, 130]);
    expect(failures).toEqual([
      {
        tier: 'edge',
        endpointId: 'edge',
        reason: 'failed',
        error: 'connection reset',
        startMs: 0,
        lostMs: 30,
      },
    ]);
    expect(outcome.answers[1]).toMatchObject({ by: { tier: 'device', startMs: 30 }, failures });
  });

  it('asks another beside one that is far slower than it used to be, and takes the first answer', async () => {
    const edge = new Scripted('edge', 40);
    const { step, failures, answered } = setUp(new Scripted('device', 100), edge);
    for (let round = 0; round < 3; round += 1) await step(Uint8Array.of(deviceD0, edgeD4));
    edge.responseMs = Infinity;
    const hung = await step(Uint8Array.of(deviceD0, edgeD4));
    // Three times the usual 40 ms and 50 ms more, then the device.
    expect(hung.responseMs[1]).toBe(170 + 100);
    expect(failures).toMatchObject([{ tier: 'edge', reason: 'slow', lostMs: 170 }]);
    expect(edge.aborted).toBeGreaterThanOrEqual(1);
    edge.responseMs = 180;
    const late = await step(Uint8Array.of(deviceD0, edgeD4));
    expect(late.responseMs[1]).toBe(180);
    expect(late.answers[1]).toMatchObject({ by: { tier: 'edge' }, failures: [{ reason: 'slow' }] });
    // It answered, but not in time: it stays left alone.
    expect(answered.filter((id) => id === 'edge')).toHaveLength(3);
  });

  it('gives one it does not know half of the deadline', async () => {
    const { step, failures } = setUp(new Scripted('device', 100), new Scripted('edge', Infinity));
    const outcome = await step(Uint8Array.of(deviceD0, edgeD4));
    expect(outcome.responseMs[1]).toBe(DEADLINE_MS / 2 + 100);
    expect(failures).toMatchObject([{ reason: 'slow', lostMs: DEADLINE_MS / 2 }]);
  });

  it('prefers a stand-by of the same tier, and leaves out who does not offer the variant', async () => {
    const standBy = new Scripted('edge', 50, 'edge-2');
    const { step } = setUp(
      new Scripted('device', 100, 'device', 'd0'),
      new Scripted('edge', Number.NaN),
      standBy,
    );
    const outcome = await step(Uint8Array.of(deviceD0, edgeD4));
    expect(outcome.answers[1]).toMatchObject({ by: { endpointId: 'edge-2' } });
    standBy.responseMs = Number.NaN;
    const nobody = await step(Uint8Array.of(deviceD0, edgeD4));
    expect(nobody.answers[1]).toMatchObject({ responseMs: DEADLINE_MS });
    expect(nobody.answers[1]).not.toHaveProperty('by');
    expect(nobody.rewardMs).toBe(-DEADLINE_MS);
  });

  it('asks one that is left alone when nobody else answers, and not before', async () => {
    const device = new Scripted('device', 100);
    const edge = new Scripted('edge', 40);
    edge.leftAlone = true;
    const { step } = setUp(edge, device);
    const without = await step(Uint8Array.of(deviceD0, edgeD4));
    expect(without.answers[1]).toMatchObject({ by: { tier: 'device' }, failures: [] });
    expect(edge.asked).toBe(0);
    device.responseMs = Number.NaN;
    const last = await step(Uint8Array.of(deviceD0, edgeD4));
    expect(last.answers[1]).toMatchObject({ by: { tier: 'edge' }, failures: [{ tier: 'device' }] });
  });

  it('property: whatever endpoints do, every request ends within the deadline, by one answer at most', async () => {
    const behaviour = fc.oneof(
      fc.integer({ min: 1, max: 900 }),
      fc.constant(Number.NaN),
      fc.constant(Infinity),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(behaviour, behaviour, behaviour), { minLength: 1 }),
        async (rounds) => {
          const endpoints = [
            new Scripted('device', 1),
            new Scripted('edge', 1),
            new Scripted('cloud', 1),
          ] as const;
          const { step } = setUp(...endpoints);
          for (const round of rounds) {
            endpoints.forEach((endpoint, index) => {
              endpoint.responseMs = round[index]!;
            });
            const { answers } = await step(Uint8Array.of(deviceD0, edgeD4));
            for (const { responseMs, by, failures } of answers) {
              expect(responseMs).toBeLessThanOrEqual(DEADLINE_MS);
              expect(new Set(failures.map(({ endpointId }) => endpointId)).size).toBe(failures.length);
              // Who could have answered in the time that was left, did.
              const best = Math.min(...round.filter((ms) => !Number.isNaN(ms)));
              if (best < DEADLINE_MS / 4 && !by) expect(failures.length).toBeGreaterThan(1);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
