import type { LoggedDecision } from './decision-log';
import type { Decider } from './decider';

export interface ReplayReport {
  readonly decisions: number;
  /** How many came out the same. */
  readonly same: number;
  /** Mean of |predicted - measured| / measured where both are known, percent. */
  readonly predictionErrorPct?: number;
  readonly meanResponseMs?: number;
}

/**
 * Decides logged states again and learns from the logged outcomes. The same agent, seed, pins and cap give the same
 * decisions, exploring ones included; another agent shows how far it would have decided differently.
 * Outcomes belong to the logged actions, so those are what is learned from.
 */
export function replayDecisions(logged: readonly LoggedDecision[], decider: Decider): ReplayReport {
  let same = 0;
  let errorSum = 0;
  let predicted = 0;
  let sumMs = 0;
  let measured = 0;
  logged.forEach(({ decision, outcome }, index) => {
    const again = decider.decide(decision.state);
    if (Buffer.compare(again.action, decision.action) === 0) same += 1;
    if (!outcome) return;
    measured += 1;
    sumMs += outcome.meanResponseMs;
    if (decision.predictedMeanMs !== undefined) {
      predicted += 1;
      errorSum += Math.abs(decision.predictedMeanMs - outcome.meanResponseMs) / outcome.meanResponseMs;
    }
    decider.outcome(decision, outcome, logged[index + 1]?.decision.state ?? decision.state);
  });
  return {
    decisions: logged.length,
    same,
    ...(predicted > 0 && { predictionErrorPct: (errorSum / predicted) * 100 }),
    ...(measured > 0 && { meanResponseMs: sumMs / measured }),
  };
}
