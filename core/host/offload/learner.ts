import type { Clock } from '../../base';
import { SluiceError } from '../../contract';
import { choiceName, decodeCheckpoint, encodeCheckpoint } from '../../offload';
import type { Agent, System } from '../../offload';
import type { Log } from '../state-file';
import { AgentMemoryFiles, FIRST_SEED } from './agent-memory';
import { CurveRecorder } from './learning-curve';

const SAVE_EVERY_MS = 30_000;

interface Forgotten {
  readonly checkpoint: string;
  readonly steps: number;
  readonly curve: CurveRecorder;
}

export interface LearnerParts {
  /** Where what agents learned is kept. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The deployment's agent: what it learned is found again for the same choices, saved now and then, and can be forgotten. */
export class Learner {
  curve = new CurveRecorder();
  /** Real steps the agent has learned from. */
  steps = 0;
  private readonly memory: AgentMemoryFiles;
  private agent: Agent | undefined;
  private forgotten: Forgotten | undefined;
  private savedMs = 0;

  constructor(private readonly parts: LearnerParts) {
    this.memory = new AgentMemoryFiles(parts.folder, parts.log);
  }

  get canRestore(): boolean {
    return this.forgotten !== undefined;
  }

  /**
   * The agent of that name for the system: the present one while it fits, else with what was learned before.
   * @throws SluiceError `not-found`, `unsupported` for more users than it can learn.
   */
  async agentFor(name: string, system: System): Promise<Agent> {
    const before = this.agent;
    if (before?.id === name && isSameSystem(before.system, system)) return before;
    const agent = await this.memory.open(name, system);
    this.agent = agent;
    this.steps = agent.memory()?.numbers['steps'] ?? 0;
    // With more or fewer users, or another threshold, it goes on learning the same.
    if (before?.id !== name || choicesOf(before.system) !== choicesOf(system))
      this.curve = new CurveRecorder();
    return agent;
  }

  /** A round was learned from. */
  learned(): void {
    this.steps += 1;
    if (this.parts.clock.nowMs() - this.savedMs > SAVE_EVERY_MS) void this.save();
  }

  /** Failures are told to the log: they lose what was learned since it was saved before. */
  async save(): Promise<void> {
    this.savedMs = this.parts.clock.nowMs();
    const { agent } = this;
    if (!agent) return;
    await this.memory.save(agent).catch((thrown: unknown) => {
      this.parts.log(`What ${agent.id} learned was not saved: ${SluiceError.from(thrown).message}`);
    });
  }

  /** It can be put back until it is forgotten again. @throws SluiceError `unsupported` for an agent that does not learn. */
  async forget(agent: Agent): Promise<void> {
    this.forgotten = { checkpoint: encodeCheckpoint(agent), steps: this.steps, curve: this.curve };
    await this.memory.forget(agent);
    this.agent = undefined;
    this.steps = 0;
    this.curve = new CurveRecorder();
  }

  /** @throws SluiceError `not-found` when nothing was forgotten; as checkpoints do when it no longer fits. */
  async restore(system: System): Promise<void> {
    const { forgotten } = this;
    if (!forgotten) throw new SluiceError('not-found', 'There is nothing to put back.');
    const agent = decodeCheckpoint(forgotten.checkpoint, 'What was forgotten', system, FIRST_SEED);
    await this.memory.save(agent);
    this.agent = agent;
    this.curve = forgotten.curve;
    this.steps = forgotten.steps;
    this.forgotten = undefined;
  }
}

function choicesOf(system: System): string {
  return Array.from({ length: system.choices }, (_, choice) => choiceName(system, choice)).join();
}

function isSameSystem(a: System, b: System): boolean {
  return a.users === b.users && JSON.stringify(a.variants) === JSON.stringify(b.variants);
}
