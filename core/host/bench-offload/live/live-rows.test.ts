import { describe, expect, it } from 'vitest';

import type { TierName } from '../../../contract';
import { faultReport } from './fault-run';
import { judgeLive } from './live-bars';
import type { RequestRecord, RoundRecord } from './live-protocol';
import { adaptationRows, liveRows } from './live-rows';
import type { StrategyRounds } from './live-rows';

function request(chosen: TierName, responseMs: number, more: Partial<RequestRecord> = {}): RequestRecord {
  return { chosen, variant: 'd0', answeredBy: chosen, responseMs, failures: [], ...more };
}

function record(meanResponseMs: number, more: Partial<RoundRecord> = {}): RoundRecord {
  return {
    requests: [request('edge', meanResponseMs)],
    meanResponseMs,
    meanAccuracyPct: 89.5,
    rewardMs: -meanResponseMs,
    explored: false,
    outOfReach: false,
    busyTiers: [],
    ...more,
  };
}

function rounds(
  id: string,
  kind: 'fixed' | 'learning',
  first: readonly RoundRecord[],
  second: readonly RoundRecord[],
): StrategyRounds {
  return { strategy: { id, agent: id, kind }, first, second };
}

const of = (...responsesMs: readonly number[]): RoundRecord[] => responsesMs.map((ms) => record(ms));

describe('rows of the live run', () => {
  it('compares each strategy with the best fixed one of the same half, and of the whole run', () => {
    const rows = liveRows(
      [
        rounds('edge-only', 'fixed', of(100, 100), of(500, 500)),
        rounds('cloud-only', 'fixed', of(200, 200), of(200, 200)),
        rounds('factored', 'learning', of(150, 50), of(240, 160)),
      ],
      89,
    );
    const row = (half: string) => rows.find((each) => each.strategy === 'factored' && each.half === half);
    expect(row('first')).toMatchObject({
      rounds: 2,
      meanResponseMs: 100,
      ratioTo: { 'edge-only': 1, 'cloud-only': 0.5 },
      ratioToBestFixed: 1,
    });
    expect(row('second')).toMatchObject({ meanResponseMs: 200, ratioToBestFixed: 1 });
    // The best of the whole run need not be the best of either half.
    expect(row('whole')).toMatchObject({
      rounds: 4,
      meanResponseMs: 150,
      ratioTo: { 'edge-only': 0.5, 'cloud-only': 0.75 },
      ratioToBestFixed: 0.75,
    });
  });

  it('counts who answered, errors of predictions, and what went wrong', () => {
    const first = [
      record(100, { predictedMs: 110, explored: true, busyTiers: ['edge'] }),
      record(100, {
        predictedMs: 150,
        requests: [request('edge', 50, { answeredBy: 'device' }), request('cloud', 150)],
      }),
      record(200, {
        meanAccuracyPct: 80,
        requests: [{ chosen: 'cloud', variant: 'd0', responseMs: 200, failures: [] }],
      }),
      record(200, { meanAccuracyPct: 80, outOfReach: true }),
    ];
    const [row] = liveRows(
      [rounds('factored', 'learning', first, []), rounds('edge-only', 'fixed', first, [])],
      89,
    );
    expect(row).toMatchObject({
      requests: 5,
      tierSharePct: { device: 20, edge: 40, cloud: 20 },
      answeredElsewhere: 1,
      unanswered: 1,
      explored: 1,
      busyRounds: 1,
      missedThreshold: 1,
      predictionErrorPct: 30,
    });
  });

  it.each([
    ['at once', [100, 100, 100, 100, 100, 100], 5],
    ['after two bad rounds of a window', [900, 900, 100, 100, 100, 100], 5],
    ['when most of a window is good', [900, 900, 900, 900, 100, 100, 100], 7],
    ['never', [900, 900, 900, 100, 100], undefined],
  ] as const)('tells when an agent is back: %s', (_, responsesMs, recoveredAfterRounds) => {
    const rows = adaptationRows([
      rounds('edge-only', 'fixed', [], of(95, 95, 95)),
      rounds('cloud-only', 'fixed', [], of(300, 300, 300)),
      rounds('factored', 'learning', [], of(...responsesMs)),
    ]);
    expect(rows).toEqual([
      {
        strategy: 'factored',
        bestFixed: 'edge-only',
        ...(recoveredAfterRounds !== undefined && { recoveredAfterRounds }),
      },
    ]);
  });
});

describe('the killed edge', () => {
  const calm = record(100, { requests: [request('edge', 100), request('device', 100)] });
  const killed = record(300, {
    requests: [
      request('edge', 500, {
        answeredBy: 'device',
        failures: [{ tier: 'edge', reason: 'failed', lostMs: 20 }],
      }),
      request('device', 100),
    ],
  });
  const after = record(120, { requests: [request('cloud', 120), request('device', 120)] });

  it('is reported with what became of its requests', () => {
    const report = faultReport('fault', [calm, calm, killed, after, calm], 2);
    expect(report).toEqual({
      strategy: 'fault',
      rounds: 5,
      requests: 10,
      unanswered: 0,
      killed: {
        round: 2,
        onEdge: 1,
        answeredElsewhere: 1,
        laterDecisionsForEdge: 1,
        medianBeforeMs: 100,
        killedRoundMs: 300,
        medianAfterMs: 110,
      },
    });
  });

  it('is the next round that asks it when the one under way was quicker', () => {
    const { killed: found } = faultReport('fault', [calm, calm, killed, after], 1);
    expect(found).toMatchObject({ round: 2, onEdge: 1, answeredElsewhere: 1, laterDecisionsForEdge: 0 });
  });

  it('meets no bar when it was not killed', () => {
    const bars = judgeLive({ rows: [], fault: faultReport('fault', [calm], undefined) });
    expect(bars.map(({ met }) => met)).toEqual([false, false]);
  });
});
