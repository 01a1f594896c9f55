import { median, quantile } from '../../../base';
import type { TierName } from '../../../contract';
import { TIER_NAMES } from '../../../contract';
import { round } from '../../bench/bar';
import type { RoundRecord } from './live-protocol';
import type { LiveStrategy } from './live-scenario';

export type Half = 'first' | 'second';

/** Rounds of one strategy, in their order. */
export interface StrategyRounds {
  readonly strategy: LiveStrategy;
  readonly first: readonly RoundRecord[];
  readonly second: readonly RoundRecord[];
}

/** One strategy before the edge's link degraded, after it, or in the whole run. */
export interface LiveRow {
  readonly strategy: string;
  readonly half: Half | 'whole';
  readonly rounds: number;
  readonly meanResponseMs: number;
  /** Over the rounds' means. */
  readonly medianResponseMs: number;
  readonly p90ResponseMs: number;
  readonly meanAccuracyPct: number;
  readonly meanRewardMs: number;
  /** Its mean response over that of each fixed strategy. */
  readonly ratioTo: Readonly<Record<string, number>>;
  readonly ratioToBestFixed: number;
  /** Median of |predicted - measured| / measured over rounds that had a prediction. */
  readonly predictionErrorPct?: number;
  /** Of the requests, by who answered. */
  readonly tierSharePct: Readonly<Record<TierName, number>>;
  readonly requests: number;
  readonly answeredElsewhere: number;
  readonly unanswered: number;
  readonly explored: number;
  /** Rounds decided below the accuracy threshold although something allowed met it. */
  readonly missedThreshold: number;
  /** Rounds whose state said that others used a tier's processors. */
  readonly busyRounds: number;
}

/** How soon a learning strategy is as good as the best fixed one after the change. */
export interface AdaptationRow {
  readonly strategy: string;
  readonly bestFixed: string;
  /** Rounds after the change until the median of a window of them is within a tenth; absent when it never was. */
  readonly recoveredAfterRounds?: number;
}

/** Rounds whose median tells how an agent is doing. */
const WINDOW = 5;
const WITHIN = 1.1;

export function liveRows(all: readonly StrategyRounds[], thresholdPct: number): LiveRow[] {
  const halves = [
    ['first', ({ first }: StrategyRounds) => first],
    ['second', ({ second }: StrategyRounds) => second],
    ['whole', ({ first, second }: StrategyRounds) => [...first, ...second]],
  ] as const;
  return halves.flatMap(([half, roundsOf]) => {
    const fixed = all
      .filter(({ strategy }) => strategy.kind === 'fixed')
      .map((each): [string, number] => [each.strategy.id, mean(roundsOf(each).map(responseOf))]);
    return all.map((each) => rowOf(each.strategy.id, half, roundsOf(each), thresholdPct, fixed));
  });
}

function rowOf(
  strategy: string,
  half: LiveRow['half'],
  rounds: readonly RoundRecord[],
  thresholdPct: number,
  fixed: readonly (readonly [strategy: string, meanMs: number])[],
): LiveRow {
  const responses = rounds.map(responseOf);
  const meanMs = mean(responses);
  const errors = rounds.flatMap(({ predictedMs, meanResponseMs }) =>
    predictedMs === undefined ? [] : [(Math.abs(predictedMs - meanResponseMs) / meanResponseMs) * 100],
  );
  const requests = rounds.flatMap((each) => each.requests);
  const share = (tier: TierName): number =>
    round((requests.filter(({ answeredBy }) => answeredBy === tier).length / requests.length) * 100);
  const count = (fits: (each: RoundRecord) => boolean): number => rounds.filter(fits).length;
  return {
    strategy,
    half,
    rounds: rounds.length,
    meanResponseMs: round(meanMs),
    medianResponseMs: round(median(responses)),
    p90ResponseMs: round(quantile(responses, 0.9)),
    meanAccuracyPct: round(mean(rounds.map(({ meanAccuracyPct }) => meanAccuracyPct))),
    meanRewardMs: round(mean(rounds.map(({ rewardMs }) => rewardMs))),
    ratioTo: Object.fromEntries(fixed.map(([id, fixedMs]) => [id, round(meanMs / fixedMs)])),
    ratioToBestFixed: round(meanMs / Math.min(...fixed.map(([, fixedMs]) => fixedMs))),
    ...(errors.length > 0 && { predictionErrorPct: round(median(errors)) }),
    tierSharePct: { device: share('device'), edge: share('edge'), cloud: share('cloud') },
    requests: requests.length,
    answeredElsewhere: requests.filter(
      ({ chosen, answeredBy }) => answeredBy !== undefined && answeredBy !== chosen,
    ).length,
    unanswered: requests.filter(({ answeredBy }) => answeredBy === undefined).length,
    explored: count(({ explored }) => explored),
    missedThreshold: count(
      ({ meanAccuracyPct, outOfReach }) => meanAccuracyPct < thresholdPct - 1e-6 && !outOfReach,
    ),
    busyRounds: count(({ busyTiers }) => TIER_NAMES.some((tier) => busyTiers.includes(tier))),
  };
}

export function adaptationRows(all: readonly StrategyRounds[]): AdaptationRow[] {
  const [best] = all
    .filter(({ strategy }) => strategy.kind === 'fixed')
    .map(({ strategy, second }) => ({ id: strategy.id, medianMs: median(second.map(responseOf)) }))
    .sort((a, b) => a.medianMs - b.medianMs);
  if (!best) return [];
  return all
    .filter(({ strategy }) => strategy.kind === 'learning')
    .map(({ strategy, second }) => {
      const recoveredAfterRounds = recoveredAfter(second.map(responseOf), best.medianMs * WITHIN);
      return {
        strategy: strategy.id,
        bestFixed: best.id,
        ...(recoveredAfterRounds !== undefined && { recoveredAfterRounds }),
      };
    });
}

function recoveredAfter(responsesMs: readonly number[], limitMs: number): number | undefined {
  for (let end = WINDOW; end <= responsesMs.length; end += 1) {
    if (median(responsesMs.slice(end - WINDOW, end)) <= limitMs) return end;
  }
  return undefined;
}

function responseOf({ meanResponseMs }: RoundRecord): number {
  return meanResponseMs;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
