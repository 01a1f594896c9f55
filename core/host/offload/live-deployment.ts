import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

import { SluiceError } from '../../contract';
import type {
  Belief,
  DecisionRecord,
  DeploymentSettings,
  LearningCurve,
  NewVariant,
  OffloadState,
  Pin,
  WireError,
} from '../../contract';
import { AGENT_NAMES, deploymentSystem, encodeCheckpoint } from '../../offload';
import type { Agent, System } from '../../offload';
import { tryLock } from '../../storage';
import type { Endpoints } from '../endpoints/endpoints';
import type { EventBus } from '../event-bus';
import { Mutex } from '../mutex';
import type { ModelServices } from '../model-services';
import type { DecisionHistory } from './decision-history';
import type { Round } from './decision-records';
import type { DeploymentStore } from './deployment-store';
import type { DeviceEndpoint } from './device-endpoint';
import { EventPace } from './event-pace';
import { installExampleVariants } from './example-variants';
import { Learner } from './learner';
import type { LearnerParts } from './learner';
import { LiveSession } from './live-session';
import type { NodeFigures } from './node-levels';
import { newVariant, systemVariant, variantRecords, withVariants } from './variants';

export interface LiveDeploymentParts extends LearnerParts, ModelServices {
  readonly dataDir: string;
  readonly store: DeploymentStore;
  readonly device: DeviceEndpoint;
  readonly endpoints: Endpoints;
  readonly history: DecisionHistory;
  readonly bus: EventBus;
  readonly deviceFigures: () => Omit<NodeFigures, 'link'>;
}

const STATE_EVERY_MS = 200;
const DECISIONS_EVERY_MS = 100;

interface Running {
  readonly abort: AbortController;
  readonly done: Promise<void>;
  readonly unlock: () => Promise<void>;
}

/** The box's deployment: its settings, variants and agent, and the session in which it works. */
export class LiveDeployment {
  private readonly changing = new Mutex();
  private readonly learner: Learner;
  private readonly statePace: EventPace;
  private readonly decisionsPace: EventPace;
  private readonly waiting = new Map<number, DecisionRecord>();
  private readonly pins = new Map<number, Pin>();
  private session: LiveSession | undefined;
  private running: Running | undefined;
  private failure: WireError | undefined;
  private learningPaused = false;

  constructor(private readonly parts: LiveDeploymentParts) {
    const { clock, bus } = parts;
    this.learner = new Learner(parts);
    this.statePace = new EventPace(clock, STATE_EVERY_MS, () => bus.emit('offload', this.state()));
    this.decisionsPace = new EventPace(clock, DECISIONS_EVERY_MS, () => {
      const records = [...this.waiting.values()];
      this.waiting.clear();
      if (records.length > 0) bus.emit('decisions', records);
    });
  }

  state(): OffloadState {
    const { store, device } = this.parts;
    const { session, failure } = this;
    const { settings, variants } = store.current;
    const waitsFor = session?.waitsFor?.toWire();
    const error = failure ?? waitsFor;
    return {
      state: failure ? 'failed' : this.running ? 'running' : 'idle',
      settings,
      variants: variantRecords(variants, (id) => device.problemOf(id)),
      agents: AGENT_NAMES,
      pins: [...this.pins.values()],
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
      const { variants } = store.current;
      const variant = newVariant(added, models.summary(added.model), variants);
      store.change({ variants: [...variants, variant] });
    });
  }

  /** @throws SluiceError `not-found`. */
  removeVariant(id: string): Promise<OffloadState> {
    const { store } = this.parts;
    return this.rebuild(() => {
      const { variants } = store.current;
      const left = variants.filter((variant) => variant.id !== id);
      if (left.length === variants.length) {
        throw new SluiceError('not-found', `No variant is called "${id}".`, { id });
      }
      store.change({ variants: left });
    });
  }

  /**
   * Registers a variant, or gives the one of that model what is known of it now.
   * @param prepare makes the model while nothing runs. @throws SluiceError `not-found`, `bad-input`; what it throws.
   */
  putVariant(added: NewVariant, prepare: () => Promise<unknown>): Promise<OffloadState> {
    const { store, models } = this.parts;
    return this.rebuild(async () => {
      await prepare();
      const { variants } = store.current;
      const others = variants.filter(({ model }) => model !== added.model);
      const known = variants.find(({ model }) => model === added.model);
      const variant = {
        ...newVariant(added, models.summary(added.model), others),
        ...(known && { id: known.id }),
      };
      store.change({
        variants: known ? variants.map((one) => (one === known ? variant : one)) : [...variants, variant],
      });
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
      if (!this.running || this.failure) {
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
      this.failure = undefined;
      return this.told();
    });
  }

  /** @throws SluiceError `bad-input` for a user, tier or variant there is not. */
  pin(pin: Pin): Promise<OffloadState> {
    return this.withSession((session) => {
      session.pin(pin);
      this.pins.set(pin.user, pin);
    });
  }

  unpin(user: number): Promise<OffloadState> {
    return this.withSession((session) => {
      session.decider.unpin(user);
      this.pins.delete(user);
    });
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
    this.statePace.cancel();
    this.decisionsPace.cancel();
    await this.parts.store.settled();
  }

  /** Changes what the session is made of: a running one stops for it and goes on with what it is then. */
  private rebuild(change: () => void | Promise<void>): Promise<OffloadState> {
    return this.changing.run(async () => {
      const wasRunning = this.running !== undefined;
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
    this.pinAgain(this.session);
    return agent;
  }

  private pinAgain(session: LiveSession): void {
    for (const pin of [...this.pins.values()]) {
      try {
        session.pin(pin);
      } catch {
        this.pins.delete(pin.user); // its user or variant is gone
      }
    }
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
    if (!session) return;
    await mkdir(parts.folder, { recursive: true });
    const unlock = await tryLock(join(parts.folder, 'running.lock'));
    if (!unlock) {
      throw new SluiceError(
        'conflict',
        `Another Sluice process runs the deployment of ${parts.dataDir}; stop it there first.`,
      );
    }
    this.failure = undefined;
    await parts.loaded.keepIdle(parts.store.current.variants.length);
    const abort = new AbortController();
    parts.endpoints.setUser(session);
    const done = session.run(abort.signal).catch((thrown: unknown) => {
      this.failure = SluiceError.from(thrown).toWire();
      this.statePace.changed();
    });
    this.running = { abort, done, unlock };
  }

  private async halt(): Promise<void> {
    const { running } = this;
    if (!running) return;
    running.abort.abort();
    await running.done;
    this.running = undefined;
    this.parts.endpoints.setUser(undefined);
    await running.unlock();
    await this.parts.loaded.keepIdle(0);
    await this.learner.save();
  }

  private onRound(round: Round): void {
    const record = this.parts.history.add(round);
    this.waiting.set(record.id, record);
    this.decisionsPace.changed();
    if (!round.outcome) return;
    if (!this.learningPaused) this.learner.learned();
    this.statePace.changed();
  }

  private told(): OffloadState {
    this.decisionsPace.flush();
    this.statePace.flush();
    return this.state();
  }
}
