import { join } from 'node:path';

import type { NewEndpoint, TierName } from '../../../contract';
import { SluiceError, TIER_NAMES } from '../../../contract';
import {
  createAgent,
  decodeCheckpoint,
  DecisionLog,
  deploymentSystem,
  encodeCheckpoint,
} from '../../../offload';
import type { Agent, Variant } from '../../../offload';
import { Endpoints, endpointsSchema } from '../../endpoints/endpoints';
import type { EndpointsParts } from '../../endpoints/endpoints';
import { sleepUntil, systemClock } from '../../host-clock';
import type { Round } from '../../offload/decision-records';
import type { DeviceEndpoint } from '../../offload/device-endpoint';
import { CurveRecorder } from '../../offload/learning-curve';
import { LiveSession } from '../../offload/live-session';
import { namedNodes } from '../../offload/node-levels';
import { StateFile } from '../../state-file';
import type { Log } from '../../state-file';
import type { RoundRecord, StrategySettings } from './live-protocol';

export interface StrategyRunParts extends Pick<EndpointsParts, 'bus' | 'inputs' | 'variants'> {
  readonly device: DeviceEndpoint;
  /** As agents know them. */
  readonly systemVariants: readonly Variant[];
  readonly remote: readonly NewEndpoint[];
  readonly scratchDir: string;
  readonly log: Log;
}

/** One strategy at work: an agent of its own in a session of its own, with its own view of the endpoints. */
export class StrategyRun {
  private readonly session: LiveSession;
  private readonly never = new AbortController().signal;
  private records: RoundRecord[] = [];
  private onBegun: (chosen: readonly TierName[]) => void = () => undefined;

  private constructor(
    private readonly agent: Agent,
    settings: StrategySettings,
    parts: StrategyRunParts,
    private readonly endpoints: Endpoints,
    private readonly decisions: DecisionLog,
  ) {
    this.session = new LiveSession({
      agent,
      settings: { ...settings, periodMs: 0 },
      device: parts.device,
      endpoints,
      log: decisions,
      clock: systemClock,
      // What others use of this machine are the other tiers: it says nothing about a device of its own.
      deviceFigures: () => ({}),
      onRound: (round) => this.take(round),
      curve: new CurveRecorder(),
    });
  }

  /** @param learned an agent's checkpoint. @throws SluiceError for an agent there is not. */
  static async open(
    settings: StrategySettings,
    parts: StrategyRunParts,
    learned?: string,
  ): Promise<StrategyRun> {
    const { id, agent: name, users, seed } = settings;
    const system = deploymentSystem(users, parts.systemVariants);
    const agent =
      learned === undefined
        ? createAgent(name, system, seed)
        : decodeCheckpoint(learned, `What ${id} learned`, system, seed);
    const decisions = new DecisionLog(join(parts.scratchDir, `${id}.db`));
    const endpoints = new Endpoints({
      ...parts,
      file: new StateFile(join(parts.scratchDir, `${id}.json`), endpointsSchema, parts.log),
      clock: systemClock,
      watches: false,
    });
    for (const endpoint of parts.remote) await endpoints.add(endpoint);
    return new StrategyRun(agent, settings, parts, endpoints, decisions);
  }

  /** A round after each pause. */
  async rounds(
    pausesMs: readonly number[],
    onBegun: (chosen: readonly TierName[]) => void,
  ): Promise<readonly RoundRecord[]> {
    this.records = [];
    this.onBegun = onBegun;
    this.endpoints.setUser(this.session);
    try {
      for (const pauseMs of pausesMs) {
        await sleepUntil(systemClock, systemClock.nowMs() + pauseMs, this.never);
        if (await this.session.round()) continue;
        throw this.session.waitsFor ?? new SluiceError('internal', 'A round was not decided.');
      }
    } finally {
      this.endpoints.setUser(undefined);
    }
    return this.records;
  }

  checkpoint(): string {
    return encodeCheckpoint(this.agent);
  }

  async close(): Promise<void> {
    await this.endpoints.close();
    this.decisions.close();
  }

  private take(round: Round): void {
    const record = roundRecord(round);
    if (record) this.records.push(record);
    else this.onBegun(chosenTiers(round));
  }
}

function chosenTiers({ decision, system }: Round): readonly TierName[] {
  return Array.from(decision.action, (choice) => TIER_NAMES[system.choiceTier[choice]!]!);
}

/** Undefined for a round that has not ended. */
function roundRecord(round: Round): RoundRecord | undefined {
  const { decision, system, outcome, answers } = round;
  if (!outcome || !answers) return undefined;
  const chosen = chosenTiers(round);
  const nodes = namedNodes(decision.state, system.users);
  return {
    requests: answers.map(({ by, responseMs, failures }, user) => ({
      chosen: chosen[user]!,
      variant: system.variants[system.choiceVariant[decision.action[user]!]!]!.id,
      ...(by && { answeredBy: by.tier }),
      responseMs,
      failures: failures.map(({ tier, reason, lostMs }) => ({ tier, reason, lostMs })),
    })),
    meanResponseMs: outcome.meanResponseMs,
    meanAccuracyPct: outcome.meanAccuracyPct,
    rewardMs: outcome.rewardMs,
    ...(decision.predictedMeanMs !== undefined && { predictedMs: decision.predictedMeanMs }),
    explored: decision.reason === 'explored',
    outOfReach: decision.reason === 'threshold-out-of-reach',
    busyTiers: nodes.filter(({ cpu }) => cpu === 'busy').map(({ tier }) => tier),
  };
}
