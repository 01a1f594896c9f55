import { median } from '../../../base';
import { round } from '../../bench/bar';
import type { LiveMachines } from './live-machines';
import type { RequestRecord, RoundRecord } from './live-protocol';

/** What became of requests when the edge's process was killed while it worked on some of them. */
export interface FaultReport {
  readonly strategy: string;
  readonly rounds: number;
  readonly requests: number;
  readonly unanswered: number;
  /** Absent when no decision used the edge, so that nothing was proved. */
  readonly killed?: {
    /** The first whose requests were lost on the edge. */
    readonly round: number;
    /** Its requests that were lost there, and how many of them another tier answered. */
    readonly onEdge: number;
    readonly answeredElsewhere: number;
    /** Decisions after that round which still used the edge. */
    readonly laterDecisionsForEdge: number;
    readonly medianBeforeMs: number;
    readonly killedRoundMs: number;
    readonly medianAfterMs: number;
  };
}

/** Rounds before the first in which the edge may be killed: its usual times are known then. */
const ROUNDS_BEFORE = 5;
/** From the decision to the kill: requests are on their way or computed then. */
const KILL_AFTER_MS = 15;

/** Kills the edge for good, at the first decision that uses it. @param pausesMs before each round. */
export async function runFault(
  { device, edge }: LiveMachines,
  strategy: string,
  pausesMs: readonly number[],
): Promise<FaultReport> {
  let begun = 0;
  let killedAt: number | undefined;
  let gone: Promise<void> | undefined;
  const records = await device.rounds(strategy, pausesMs, (chosen) => {
    begun += 1;
    if (killedAt !== undefined || begun <= ROUNDS_BEFORE || !chosen.includes('edge')) return;
    killedAt = begun - 1;
    gone = new Promise((resolve) => setTimeout(resolve, KILL_AFTER_MS)).then(() => edge.kill());
  });
  await gone;
  return faultReport(strategy, records, killedAt);
}

/** @param killedAt index of the last round that had begun when the edge was killed. */
export function faultReport(
  strategy: string,
  records: readonly RoundRecord[],
  killedAt: number | undefined,
): FaultReport {
  const requests = records.flatMap((record) => record.requests);
  const report = {
    strategy,
    rounds: records.length,
    requests: requests.length,
    unanswered: requests.filter(({ answeredBy }) => answeredBy === undefined).length,
  };
  if (killedAt === undefined) return report;
  // A quick round may have ended before: then the next one that asks the edge is the one hit.
  const hit = records.findIndex((record, index) => index >= killedAt && record.requests.some(wasLostOnEdge));
  const at = hit < 0 ? killedAt : hit;
  const after = records.slice(at + 1);
  const onEdge = records[at]?.requests.filter(wasLostOnEdge) ?? [];
  return {
    ...report,
    killed: {
      round: at,
      onEdge: onEdge.length,
      answeredElsewhere: onEdge.filter(({ answeredBy }) => answeredBy !== undefined && answeredBy !== 'edge')
        .length,
      laterDecisionsForEdge: after.filter((record) => record.requests.some(({ chosen }) => chosen === 'edge'))
        .length,
      medianBeforeMs: medianOf(records.slice(0, at)),
      killedRoundMs: round(records[at]?.meanResponseMs ?? 0),
      medianAfterMs: medianOf(after),
    },
  };
}

function wasLostOnEdge({ failures }: RequestRecord): boolean {
  return failures.some(({ tier }) => tier === 'edge');
}

function medianOf(records: readonly RoundRecord[]): number {
  return round(median(records.map(({ meanResponseMs }) => meanResponseMs)));
}
