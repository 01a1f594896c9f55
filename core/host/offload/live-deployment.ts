import { SluiceError } from '../../contract';
import type {
  Belief,
  DeploymentSettings,
  LearningCurve,
  NewVariant,
  OffloadState,
  Pin,
} from '../../contract';
import { AGENT_NAMES, deploymentSystem, encodeCheckpoint } from '../../offload';
import type { Agent, System } from '../../offload';
import type { Endpoints } from '../endpoints/endpoints';
import type { EventBus } from '../event-bus';
import { Mutex } from '../mutex';
import type { ModelServices } from '../models/model-services';
import type { DecisionHistory } from './decision-history';
import type { Round } from './decision-records';
import type { DeploymentStore } from './deployment-store';
import type { DeviceEndpoint } from './device-endpoint';
import { DeploymentEvents } from './deployment-events';
import { installExampleVariants } from './example-variants';
import { KeptPins } from './kept-pins';
import { Learner } from './learner';
import type { LearnerParts } from './learner';
import { LiveSession } from './live-session';
import type { NodeFigures } from './node-levels';
import { SessionRunner } from './session-runner';
import {
  systemVariant,
  variantRecords,
  withoutVariant,
  withPutVariant,
  withVariant,
  withVariants,
} from './variants';

export interface LiveDeploymentParts extends LearnerParts, ModelServices {
  readonly dataDir: string;
  readonly store: DeploymentStore;
  readonly device: DeviceEndpoint;
  readonly endpoints: Endpoints;
  readonly history: DecisionHistory;
  readonly bus: EventBus;
  readonly deviceFigures: () => Omit<NodeFigures, 'link'>;
}

/** The box's deployment: its settings, variants and agent, and the session in which it works. */
export class LiveDeployment {
  private readonly changing = new Mutex();
  private readonly learner: Learner;
  private readonly events: DeploymentEvents;
  private readonly runner: SessionRunner;
  private readonly pins = new KeptPins();
  private session: LiveSession | undefined;
  private learningPaused = false;

  constructor(private readonly parts: LiveDeploymentParts) {
    this.learner = new Learner(parts);
    this.events = new DeploymentEvents(parts.clock, parts.bus, () => this.state());
    this.runner = new SessionRunner({ ...parts, onFailed: () => this.events.stateChanged() });
  }

  state(): OffloadState {
    const { store, device } = this.parts;
    const { session } = this;
    const { failure, isRunning } = this.runner;
    const { settings, variants } = store.current;
    const waitsFor = session?.waitsFor?.toWire();
    const error = failure ?? waitsFor;
    return {
      state: failure ? 'failed' : isRunning ? 'running' : 'idle',
      settings,
      variants: variantRecords(variants, (id) => device.problemOf(id)),
      agents: AGENT_NAMES,
      pins: this.pins.all,
      learningPaused: this.learningPaused,
      learnedSteps: this.learner.steps,
      canRestore: this.learner.canRestore,
      rounds: session?.rounds ?? 0,
      answeredElsewhere: session?.answeredElsewhere ?? 0,
      nodes: session?.nodes() ?? [],
      ...session?.recentMeans(),
      ...(error && { error }),
    };
  }

  /** @throws SluiceError `not-found` for an agent there is not, `unsupported` for more users than it can learn. */
  configure(change: Partial<DeploymentSettings>): Promise<OffloadState> {
    return this.rebuild(() => {
      const settings = { ...this.parts.store.current.settings, ...change };
      // Refused here, before anything is changed.
      if (!AGENT_NAMES.includes(settings.agent)) {
        throw new SluiceError(
          'not-found',
          `No agent is called "${settings.agent}"; there are ${AGENT_NAMES.join(', ')}.`,
        );
      }
      this.parts.store.change({ settings });
    });
  }

  /** @throws SluiceError `not-found`, `bad-input`, `conflict`. */
  addVariant(added: NewVariant): Promise<OffloadState> {
    const { store, models } = this.parts;
    return this.rebuild(() => {
      const variants = withVariant(store.current.variants, added, models.summary(added.model));
      store.change({ variants });
    });
  }

  /** @throws SluiceError `not-found`. */
  removeVariant(id: string): Promise<OffloadState> {
    const { store } = this.parts;
    return this.rebuild(() => store.change({ variants: withoutVariant(store.current.variants, id) }));
  }

  /**
   * Registers a variant, or gives the one of that model what is known of it now.
   * @param prepare makes the model while nothing runs. @throws SluiceError `not-found`, `bad-input`; what it throws.
   */
  putVariant(added: NewVariant, prepare: () => Promise<unknown>): Promise<OffloadState> {
    const { store, models } = this.parts;
    return this.rebuild(async () => {
      await prepare();
      const variants = withPutVariant(store.current.variants, added, models.summary(added.model));
      store.change({ variants });
    });
  }

  /** Takes a model's variant away, if there is one. @param cleanUp runs while nothing else does. */
  dropVariant(model: string, cleanUp: () => Promise<void>): Promise<OffloadState> {
    const { store } = this.parts;
    return this.rebuild(async () => {
      store.change({ variants: store.current.variants.filter((variant) => variant.model !== model) });
      await cleanUp();
    });
  }

  /** Adds what is missing of the example's models and variants. @throws SluiceError `io`, `cancelled`, `conflict`. */
  async installExample(jobId: string): Promise<OffloadState> {
    const { store, models, jobs, dataDir } = this.parts;
    const example = await installExampleVariants({ models, jobs, dataDir }, jobId);
    return this.rebuild(() => store.change({ variants: withVariants(store.current.variants, example) }));
  }

  /** @throws SluiceError `conflict` while another process runs this folder's deployment; `bad-input` without variants. */
  start(): Promise<OffloadState> {
    return this.changing.run(async () => {
      if (!this.runner.isRunning || this.runner.failure) {
        await this.halt();
        await this.prepare();
        await this.launch();
      }
      return this.told();
    });
  }

  stop(): Promise<OffloadState> {
    return this.changing.run(async () => {
      await this.halt();
      this.runner.forgetFailure();
      return this.told();
    });
  }

  /** @throws SluiceError `bad-input` for a user, tier or variant there is not. */
  pin(pin: Pin): Promise<OffloadState> {
    return this.withSession((session) => this.pins.pin(session, pin));
  }

  unpin(user: number): Promise<OffloadState> {
    return this.withSession((session) => this.pins.unpin(session, user));
  }

  pauseLearning(paused: boolean): Promise<OffloadState> {
    return this.withSession((session) => {
      this.learningPaused = paused;
      session.decider.pauseLearning(paused);
    });
  }

  /** @throws SluiceError `unsupported` for an agent that does not learn. */
  reset(): Promise<OffloadState> {
    return this.rebuild(async () => this.learner.forget(await this.prepare()));
  }

  /** @throws SluiceError `not-found` when nothing was forgotten; as checkpoints do when it no longer fits. */
  restore(): Promise<OffloadState> {
    return this.rebuild(() => this.learner.restore(this.system()));
  }

  async beliefs(): Promise<readonly Belief[]> {
    if (this.parts.store.current.variants.length === 0) return [];
    await this.changing.run(() => this.prepare());
    return this.session?.beliefs() ?? [];
  }

  learningCurve(): LearningCurve {
    return this.learner.curve.curve();
  }

  /** @throws SluiceError `unsupported` for an agent that does not learn. */
  async checkpoint(): Promise<{ readonly name: string; readonly text: string }> {
    const agent = await this.changing.run(() => this.prepare());
    return { name: `${agent.id}.checkpoint.json`, text: encodeCheckpoint(agent) };
  }

  async close(): Promise<void> {
    await this.changing.run(() => this.halt());
    this.events.cancel();
    await this.parts.store.settled();
  }

  /** Changes what the session is made of: a running one stops for it and goes on with what it is then. */
  private rebuild(change: () => void | Promise<void>): Promise<OffloadState> {
    return this.changing.run(async () => {
      const wasRunning = this.runner.isRunning;
      await this.halt();
      try {
        await change();
      } finally {
        this.session = undefined;
        if (wasRunning && this.parts.store.current.variants.length > 0) {
          await this.prepare();
          await this.launch();
        }
      }
      return this.told();
    });
  }

  private withSession(change: (session: LiveSession) => void): Promise<OffloadState> {
    return this.changing.run(async () => {
      await this.prepare();
      if (this.session) change(this.session);
      return this.told();
    });
  }

  /** The agent, with a session to work in; both are kept while they fit the settings. */
  private async prepare(): Promise<Agent> {
    const { settings } = this.parts.store.current;
    const agent = await this.learner.agentFor(settings.agent, this.system());
    if (this.session) return agent;
    this.session = new LiveSession({
      ...this.parts,
      agent,
      settings,
      log: this.parts.history.log,
      curve: this.learner.curve,
      onRound: (round) => this.onRound(round),
    });
    this.session.decider.pauseLearning(this.learningPaused);
    this.pins.pinAgain(this.session);
    return agent;
  }

  /** @throws SluiceError `bad-input` without variants. */
  private system(): System {
    const { store, models, planner } = this.parts;
    const { settings, variants } = store.current;
    if (variants.length === 0) {
      throw new SluiceError(
        'bad-input',
        'The deployment has no variants; register a model with its accuracy first.',
      );
    }
    return deploymentSystem(
      settings.users,
      variants.map((variant) => systemVariant(variant, models, planner)),
    );
  }

  private async launch(): Promise<void> {
    const { session, parts } = this;
    if (session) await this.runner.launch(session, parts.store.current.variants.length);
  }

  private async halt(): Promise<void> {
    if (await this.runner.halt()) await this.learner.save();
  }

  private onRound(round: Round): void {
    const record = this.parts.history.add(round);
    this.events.decided(record);
    if (!round.outcome) return;
    if (!this.learningPaused) this.learner.learned();
    this.events.stateChanged();
  }

  private told(): OffloadState {
    this.events.flush();
    return this.state();
  }
}
