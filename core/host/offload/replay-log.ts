import { existsSync } from 'node:fs';

import { SluiceError } from '../../contract';
import { Decider, DecisionLog, replayDecisions } from '../../offload';
import type { Agent, LoggedDecision, ReplayReport } from '../../offload';

export interface ReplayLogOptions {
  readonly logPath: string;
  readonly thresholdPct: number;
  readonly explorationCap?: number;
  readonly clockMs: () => number;
}

/** Decides everything a log holds again. @throws SluiceError `not-found`, `bad-input` for a log of another system. */
export function replayLog(
  agent: Agent,
  options: ReplayLogOptions,
): ReplayReport & { readonly agent: string } {
  if (!existsSync(options.logPath)) {
    throw new SluiceError('not-found', `There is no decision log ${options.logPath}.`);
  }
  const logged = readAll(options.logPath);
  const other = logged.find(({ decision }) => decision.action.length !== agent.system.users);
  if (other) {
    throw new SluiceError(
      'bad-input',
      `${options.logPath}: decisions are for ${other.decision.action.length} users, the scenario has ${agent.system.users}.`,
    );
  }
  const { thresholdPct, clockMs, explorationCap } = options;
  const otherThreshold = logged.find(({ decision }) => decision.thresholdPct !== thresholdPct);
  if (otherThreshold) {
    throw new SluiceError(
      'bad-input',
      `${options.logPath}: decided at threshold ${otherThreshold.decision.thresholdPct} %, asked for ${thresholdPct} %; pass --threshold.`,
    );
  }
  const decider = new Decider(agent, {
    thresholdPct,
    clockMs,
    ...(explorationCap !== undefined && { explorationCap }),
  });
  return { agent: agent.id, ...replayDecisions(logged, decider) };
}

function readAll(path: string): readonly LoggedDecision[] {
  const log = new DecisionLog(path);
  try {
    const all: LoggedDecision[] = [];
    for (let page = log.list(); page.length > 0; page = log.list(all.at(-1)?.decision.id)) all.push(...page);
    return all;
  } finally {
    log.close();
  }
}
