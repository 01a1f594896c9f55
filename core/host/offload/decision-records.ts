import { TIER_NAMES } from '../../contract';
import type { DecisionRecord, UserDecision } from '../../contract';
import { systemOfDescription } from '../../offload';
import type { Answer, Decision, LoggedDecision, Outcome, System } from '../../offload';
import { isoTime } from '../host-clock';
import { namedNodes } from './node-levels';

/** What a console is told of a round. */
export interface Round {
  readonly decision: Decision;
  readonly system: System;
  /** [users] as the agent predicted; absent entries where it had no idea. */
  readonly predictedMs?: readonly (number | undefined)[];
  readonly outcome?: Outcome;
  readonly answers?: readonly Answer[];
}

/** @param nameOf of an endpoint, by id. */
export function decisionRecord(round: Round, nameOf: (endpointId: string) => string): DecisionRecord {
  const { decision, system, outcome } = round;
  return {
    id: decision.id,
    at: isoTime(decision.atMs),
    agent: decision.agent,
    reason: decision.reason,
    thresholdPct: decision.thresholdPct,
    users: Array.from(decision.action, (choice, user) => userDecision(round, choice, user, nameOf)),
    meanAccuracyPct: decision.meanAccuracyPct,
    nodes: namedNodes(decision.state, system.users),
    ...(decision.predictedMeanMs !== undefined && { predictedMs: decision.predictedMeanMs }),
    ...(outcome && { meanResponseMs: outcome.meanResponseMs, rewardMs: outcome.rewardMs }),
  };
}

/** Of the log; undefined for decisions whose choices mean nothing here: simulated ones. */
export function loggedRecord(
  { decision, outcome, answers, system }: LoggedDecision,
  nameOf: (endpointId: string) => string,
): DecisionRecord | undefined {
  if (!system) return undefined;
  const known = systemOfDescription(system);
  return decisionRecord(
    { decision, system: known, ...(outcome && { outcome }), ...(answers && { answers }) },
    nameOf,
  );
}

function userDecision(
  { decision, system, predictedMs, answers }: Round,
  choice: number,
  user: number,
  nameOf: (endpointId: string) => string,
): UserDecision {
  const predicted = predictedMs?.[user];
  const answer = answers?.[user];
  return {
    tier: TIER_NAMES[system.choiceTier[choice]!]!,
    variant: system.variants[system.choiceVariant[choice]!]!.id,
    pinned: decision.pinnedUsers.includes(user),
    failures: (answer?.failures ?? []).map(({ tier, endpointId, reason, error, lostMs }) => ({
      tier,
      endpoint: nameOf(endpointId),
      reason,
      error,
      lostMs,
    })),
    ...(predicted !== undefined && { predictedMs: predicted }),
    ...(answer?.by && { answeredBy: answer.by.tier, responseMs: answer.responseMs }),
  };
}
