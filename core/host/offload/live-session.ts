import type { Clock } from '../../base';
import { SluiceError, TIER_NAMES } from '../../contract';
import type { Belief, DeploymentSettings, ErrorCode, NodeState, Pin, TierName } from '../../contract';
import { Decider, describeSystem, LiveTestbed } from '../../offload';
import type {
  Agent,
  Candidate,
  Decision,
  DecisionLog,
  LiveEndpoint,
  LiveOutcome,
  System,
} from '../../offload';
import type { Endpoints } from '../endpoints/endpoints';
import { sleepUntil } from '../host-clock';
import type { Round } from './decision-records';
import type { DeviceEndpoint } from './device-endpoint';
import type { CurveRecorder } from './learning-curve';
import { NodeLevels } from './node-levels';
import type { NodeFigures } from './node-levels';

/** Longest response there can be. */
export const DEADLINE_MS = 10_000;
/** While nothing can be chosen. */
const WAIT_MS = 1000;
const RECENT_ROUNDS = 100;
/** Nothing to choose from: endpoints come back, models are imported. A disk that is full or fails is seen to. */
const PASSING: ReadonlySet<ErrorCode> = new Set(['conflict', 'io']);

export interface LiveSessionParts {
  readonly agent: Agent;
  readonly settings: DeploymentSettings;
  readonly device: DeviceEndpoint;
  readonly endpoints: Endpoints;
  readonly log: DecisionLog;
  readonly clock: Clock;
  readonly deviceFigures: () => Omit<NodeFigures, 'link'>;
  /** A round was decided, or has ended. The same round's later call replaces the earlier. */
  readonly onRound: (round: Round) => void;
  readonly curve: CurveRecorder;
}

/** A deployment at work: rounds of requests, decided, carried out, measured and learned from. */
export class LiveSession {
  readonly testbed: LiveTestbed;
  rounds = 0;
  answeredElsewhere = 0;
  /** What keeps rounds from being decided now. */
  waitsFor: SluiceError | undefined;
  /** Pins and pausing; agents decide through it. */
  readonly decider: Decider;
  private readonly levels = new NodeLevels();
  private readonly recent: { readonly decision: Decision; readonly outcome: LiveOutcome }[] = [];
  private last: Decision | undefined;
  private isDescribed = false;

  constructor(private readonly parts: LiveSessionParts) {
    const { agent, settings, device, endpoints, clock } = parts;
    this.decider = new Decider(agent, {
      thresholdPct: settings.thresholdPct,
      explorationCap: settings.explorationCap,
      clockMs: () => clock.nowMs(),
    });
    this.testbed = new LiveTestbed(agent.system, {
      endpoints: () => [device, ...endpoints.up()],
      lastResorts: () => endpoints.leftAlone(),
      observe: () => this.levels.state(settings.users),
      deadlineMs: DEADLINE_MS,
      clock,
      onFailure: ({ id }) => endpoints.failed(id),
      onAnswer: (id) => endpoints.answered(id),
    });
  }

  get system(): System {
    return this.parts.agent.system;
  }

  /** From when on an endpoint counts as slow. */
  slowAfterMs(tier: TierName, variantId: string): number | undefined {
    return this.testbed.responses.slowAfterMs(tier, variantId);
  }

  /** Warms everything up, then decides rounds until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.parts;
    await this.warmUp(signal);
    while (!signal.aborted) {
      const startedMs = clock.nowMs();
      const decided = await this.round();
      const pauseMs = decided ? settings.periodMs : WAIT_MS;
      await sleepUntil(clock, startedMs + pauseMs, signal).catch(() => undefined);
    }
  }

  /**
   * Decides, carries out and learns from one round.
   * @returns false when there is nothing to choose from, or decisions can't be kept now; `waitsFor` says why.
   */
  async round(): Promise<boolean> {
    try {
      await this.carryOut();
      this.waitsFor = undefined;
      return true;
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      if (!PASSING.has(error.code)) throw error;
      this.waitsFor = error;
      return false;
    }
  }

  /** @throws SluiceError `bad-input` for a user, tier or variant there is not. */
  pin({ user, tier, variant }: Pin): void {
    const { system } = this;
    const choice = system.choiceTier.findIndex(
      (code, index) =>
        TIER_NAMES[code] === tier && system.variants[system.choiceVariant[index]!]!.id === variant,
    );
    this.decider.pin(user, choice);
  }

  nodes(): readonly NodeState[] {
    this.observeNodes();
    return this.levels.nodes((tier) => this.barredWhy(tier));
  }

  /** What the agent believes of every alternative to what it would decide now. */
  beliefs(): readonly Belief[] {
    this.observeNodes();
    this.decider.offer(this.offered());
    return this.decider.explain(this.weighed()).map((candidate) => this.belief(candidate));
  }

  private weighed(): Decision {
    const { decider, testbed, last } = this;
    try {
      return decider.weigh(testbed.observe());
    } catch (thrown) {
      // Nothing can be chosen now; what was chosen last is still worth a look.
      if (last && SluiceError.from(thrown).code === 'conflict') return last;
      throw thrown;
    }
  }

  private belief(candidate: Candidate): Belief {
    const { system } = this;
    const { user, choiceNumber, choice: _name, ...figures } = candidate;
    const tier = TIER_NAMES[system.choiceTier[choiceNumber]!]!;
    const { id: variant, accuracyPct } = system.variants[system.choiceVariant[choiceNumber]!]!;
    const last = this.testbed.responses.last(tier, variant);
    return {
      ...figures,
      user,
      tier,
      variant,
      accuracyPct,
      measurements: last?.count ?? 0,
      ...(last && { measuredMs: last.responseMs }),
    };
  }

  /** Means over the last rounds; undefined before the first. */
  recentMeans():
    | {
        readonly meanResponseMs: number;
        readonly meanAccuracyPct: number;
        readonly predictionErrorPct?: number;
      }
    | undefined {
    const { recent } = this;
    if (recent.length === 0) return undefined;
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    const errors = recent.flatMap(({ decision: { predictedMeanMs }, outcome: { meanResponseMs } }) =>
      predictedMeanMs === undefined
        ? []
        : [(Math.abs(predictedMeanMs - meanResponseMs) / meanResponseMs) * 100],
    );
    return {
      meanResponseMs: mean(recent.map(({ outcome }) => outcome.meanResponseMs)),
      meanAccuracyPct: mean(recent.map(({ outcome }) => outcome.meanAccuracyPct)),
      ...(errors.length > 0 && { predictionErrorPct: mean(errors) }),
    };
  }

  /** A first inference loads its model: that is not what agents should learn, nor users wait for. */
  private async warmUp(signal: AbortSignal): Promise<void> {
    const { device, endpoints } = this.parts;
    const warmOne = async (endpoint: LiveEndpoint): Promise<void> => {
      for (const { id } of this.system.variants) {
        if (signal.aborted) return;
        // Whoever fails now will fail, or not, when it is chosen.
        if (endpoint.offers(id)) await endpoint.infer(0, id, signal).catch(() => undefined);
      }
    };
    await Promise.all([device, ...endpoints.up()].map(warmOne));
  }

  /** Tells the log what choices mean, once it can be told. */
  private describe(): void {
    if (this.isDescribed) return;
    this.parts.log.useSystem(describeSystem(this.system));
    this.isDescribed = true;
  }

  private async carryOut(): Promise<void> {
    const { decider, testbed, system } = this;
    const { log, agent, settings, onRound } = this.parts;
    this.describe();
    this.observeNodes();
    decider.offer(this.offered());
    const decided = decider.decide(testbed.observe());
    const decision = { ...decided, id: log.record(decided) };
    this.last = decision;
    const predictedMs = Array.from(decision.action, (_, user) =>
      agent.predictUserMs?.(decision.state, decision.action, user),
    );
    onRound({ decision, system, predictedMs });
    const outcome = await testbed.step(decision.action, settings.thresholdPct);
    log.complete(decision.id, outcome, outcome.answers);
    this.observeNodes();
    decider.outcome(decision, outcome, testbed.observe());
    this.count(decision, outcome);
    onRound({ decision, system, predictedMs, outcome, answers: outcome.answers });
  }

  private count(decision: Decision, outcome: LiveOutcome): void {
    this.rounds += 1;
    outcome.answers.forEach(({ by }, user) => {
      const chosen = TIER_NAMES[this.system.choiceTier[decision.action[user]!]!];
      if (by && by.tier !== chosen) this.answeredElsewhere += 1;
    });
    this.recent.push({ decision, outcome });
    if (this.recent.length > RECENT_ROUNDS) this.recent.shift();
    this.parts.curve.add({
      meanResponseMs: outcome.meanResponseMs,
      rewardMs: outcome.rewardMs,
      predictedMs: decision.predictedMeanMs,
      explored: decision.reason === 'explored',
    });
  }

  private observeNodes(): void {
    const { endpoints, deviceFigures } = this.parts;
    this.levels.observe('device', { ...deviceFigures(), link: 'regular' });
    for (const tier of ['edge', 'cloud'] as const) {
      const inUse = endpoints.up().find((endpoint) => endpoint.tier === tier);
      this.levels.observe(tier, inUse && { ...inUse.health, link: inUse.link.linkClass });
    }
  }

  /** [choices]: 1 where somebody offers the variant: who is up, or else who was left alone after a failure. */
  private offered(): Uint8Array {
    const { device, endpoints } = this.parts;
    const offered = this.offeredBy([device, ...endpoints.up()]);
    return offered.includes(1) ? offered : this.offeredBy(endpoints.leftAlone());
  }

  private offeredBy(endpoints: readonly LiveEndpoint[]): Uint8Array {
    const { choiceTier, choiceVariant, variants } = this.system;
    return Uint8Array.from(choiceTier, (code, choice) => {
      const { id } = variants[choiceVariant[choice]!]!;
      return Number(endpoints.some((endpoint) => endpoint.tier === TIER_NAMES[code] && endpoint.offers(id)));
    });
  }

  private barredWhy(tier: TierName): string | undefined {
    const { device, endpoints } = this.parts;
    if (tier === 'device') {
      const problems = this.system.variants.map(({ id }) => device.problemOf(id));
      return problems.every((problem) => problem !== undefined) ? problems[0] : undefined;
    }
    const all = endpoints.all().filter((endpoint) => endpoint.tier === tier);
    if (all.length === 0) return 'no endpoint';
    if (endpoints.up().some((endpoint) => endpoint.tier === tier)) return undefined;
    const isLeftAlone = endpoints.leftAlone().some((endpoint) => endpoint.tier === tier);
    return isLeftAlone ? 'left alone after a failure' : 'not ready';
  }
}
