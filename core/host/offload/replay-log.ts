import { existsSync } from 'node:fs';

import { SluiceError } from '../../contract';
import { Decider, DecisionLog, replayDecisions, systemOfDescription } from '../../offload';
import type { Agent, LoggedDecision, ReplayReport, System, SystemDescription } from '../../offload';

export interface ReplayLogOptions {
  readonly logPath: string;
  readonly thresholdPct: number;
  readonly explorationCap?: number;
  readonly clockMs: () => number;
}

export interface ReplayLogReport extends ReplayReport {
  readonly agent: string;
  readonly users: number;
  readonly thresholdPct: number;
  /** Decisions of other deployments, or at other thresholds, than the last one. */
  readonly leftOut: number;
}

/**
 * Decides what a log holds again. A simulated training's log is decided in the scenario given; a deployment's log tells
 * its own system and threshold, and its decisions since the last change of either are decided.
 * @param makeAgent for the system the decisions were made in.
 * @throws SluiceError `not-found`; `bad-input` for a log of another scenario, or what making the agent throws.
 */
export async function replayLog(
  makeAgent: (system: System) => Agent | Promise<Agent>,
  scenario: System,
  options: ReplayLogOptions,
): Promise<ReplayLogReport> {
  if (!existsSync(options.logPath)) {
    throw new SluiceError('not-found', `There is no decision log ${options.logPath}.`);
  }
  const all = readAll(options.logPath);
  const told = all.at(-1)?.system;
  const system = told ? systemOfDescription(told) : scenario;
  const thresholdPct = (told && all.at(-1)?.decision.thresholdPct) ?? options.thresholdPct;
  const logged = told ? sinceLastChange(all, told, thresholdPct) : all;
  if (!told) refuseOthers(all, system, options);
  const { clockMs, explorationCap } = options;
  const decider = new Decider(await makeAgent(system), {
    thresholdPct,
    clockMs,
    ...(explorationCap !== undefined && { explorationCap }),
  });
  return {
    agent: decider.agent.id,
    users: system.users,
    thresholdPct,
    leftOut: all.length - logged.length,
    ...replayDecisions(logged, decider),
  };
}

function sinceLastChange(
  all: readonly LoggedDecision[],
  system: SystemDescription,
  thresholdPct: number,
): readonly LoggedDecision[] {
  const isSame = (logged: LoggedDecision): boolean =>
    logged.system === system && logged.decision.thresholdPct === thresholdPct;
  return all.slice(all.findLastIndex((logged) => !isSame(logged)) + 1);
}

function refuseOthers(
  logged: readonly LoggedDecision[],
  { users }: System,
  { logPath, thresholdPct }: ReplayLogOptions,
): void {
  const other = logged.find(({ decision }) => decision.action.length !== users);
  if (other) {
    throw new SluiceError(
      'bad-input',
      `${logPath}: decisions are for ${other.decision.action.length} users, the scenario has ${users}.`,
    );
  }
  const otherThreshold = logged.find(({ decision }) => decision.thresholdPct !== thresholdPct);
  if (!otherThreshold) return;
  throw new SluiceError(
    'bad-input',
    `${logPath}: decided at threshold ${otherThreshold.decision.thresholdPct} %, asked for ${thresholdPct} %; pass --threshold.`,
  );
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
