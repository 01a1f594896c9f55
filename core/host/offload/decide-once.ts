import { SluiceError } from '../../contract';
import { choiceName, Decider, SimulatedTestbed } from '../../offload';
import type { Agent, Candidate, Decision, Scenario, System, TierName } from '../../offload';

export interface DecideOnceOptions {
  readonly thresholdPct: number;
  readonly seed: number;
  /** `0=edge:d4` */
  readonly pins: readonly string[];
  readonly down: readonly string[];
  readonly clockMs: () => number;
}

export interface DecideReport {
  readonly agent: string;
  /** [cpu, memory, link] of each node: devices, edge, cloud. */
  readonly state: readonly number[];
  /** `edge d4` of each user. */
  readonly action: readonly string[];
  readonly reason: Decision['reason'];
  readonly pinnedUsers: readonly number[];
  readonly predictedMeanMs?: number;
  readonly meanAccuracyPct: number;
  readonly thresholdPct: number;
  readonly candidates: readonly Candidate[];
}

/** One decision, without exploring, in the first state of a scenario, with everything it was weighed against. */
export function decideOnce(scenario: Scenario, agent: Agent, options: DecideOnceOptions): DecideReport {
  const testbed = new SimulatedTestbed(scenario, options.seed);
  const { thresholdPct, clockMs } = options;
  const decider = new Decider(agent, { thresholdPct, clockMs, explorationCap: 0 });
  decider.pauseLearning(true);
  for (const pin of options.pins) decider.pin(...parsePin(agent.system, pin));
  for (const tier of options.down) decider.endpointFailed(parseTier(tier));
  const decision = decider.decide(testbed.observe());
  return {
    agent: decision.agent,
    state: Array.from(decision.state),
    action: Array.from(decision.action, (choice) => choiceName(agent.system, choice)),
    reason: decision.reason,
    pinnedUsers: decision.pinnedUsers,
    ...(decision.predictedMeanMs !== undefined && { predictedMeanMs: decision.predictedMeanMs }),
    meanAccuracyPct: decision.meanAccuracyPct,
    thresholdPct,
    candidates: decider.explain(decision),
  };
}

function parsePin(system: System, text: string): [user: number, choice: number] {
  const match = /^(\d+)=(\w+):(.+)$/.exec(text);
  const names = Array.from({ length: system.choices }, (_, choice) => choiceName(system, choice));
  const choice = match ? names.indexOf(`${match[2] ?? ''} ${match[3] ?? ''}`) : -1;
  if (match && choice >= 0) return [Number(match[1]), choice];
  const known = names.map((name) => name.replace(' ', ':')).join(', ');
  throw new SluiceError(
    'bad-input',
    `--pin: expected USER=TIER:VARIANT with one of ${known}, found "${text}".`,
  );
}

function parseTier(text: string): TierName {
  if (text === 'device' || text === 'edge' || text === 'cloud') return text;
  throw new SluiceError('bad-input', `--down: expected device, edge or cloud, found "${text}".`);
}
