import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { SluiceError, isNewerStore } from '../../contract';
import {
  Decider,
  decodeCheckpoint,
  DecisionLog,
  encodeCheckpoint,
  SimulatedTestbed,
  systemOf,
} from '../../offload';
import type { Agent, Scenario } from '../../offload';
import { writeFileAtomic } from '../../storage';

export interface TrainAgentOptions {
  readonly steps: number;
  readonly thresholdPct: number;
  readonly seed: number;
  readonly checkpointPath?: string;
  readonly logPath?: string;
  readonly explorationCap?: number;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
}

export interface TrainReport {
  readonly agent: string;
  readonly scenario: string;
  readonly users: number;
  readonly steps: number;
  readonly explored: number;
  /** Over the last tenth of the steps. */
  readonly meanResponseMs: number;
  readonly meanAccuracyPct: number;
  readonly checkpoint?: string;
  readonly log?: string;
}

/** Steps whose decisions are written to the log at once. */
const BATCH_STEPS = 200;

/**
 * Trains through the decider, as decisions in service are made, and saves what was learned.
 * A damaged checkpoint at the target is left alone.
 * @throws SluiceError `cancelled` (what was learned so far is saved first), `io`, `bad-input`.
 */
export async function trainAgent(
  scenario: Scenario,
  agent: Agent,
  options: TrainAgentOptions,
): Promise<TrainReport> {
  if (options.checkpointPath !== undefined) {
    encodeCheckpoint(agent); // An agent that does not learn is told now, not after the training.
    await refuseDamaged(options.checkpointPath, scenario);
  }
  const run = new TrainingRun(scenario, agent, options);
  try {
    await run.steps();
  } finally {
    run.close();
    if (options.checkpointPath !== undefined)
      await writeFileAtomic(options.checkpointPath, encodeCheckpoint(agent));
  }
  return run.report();
}

class TrainingRun {
  private readonly testbed: SimulatedTestbed;
  private readonly decider: Decider;
  private readonly log: DecisionLog | undefined;
  private explored = 0;
  private tailSteps = 0;
  private tailMs = 0;
  private tailPct = 0;

  constructor(
    private readonly scenario: Scenario,
    private readonly agent: Agent,
    private readonly options: TrainAgentOptions,
  ) {
    this.testbed = new SimulatedTestbed(scenario, options.seed);
    // Simulated rounds take no time of their own; their number is their time.
    this.decider = new Decider(agent, {
      thresholdPct: options.thresholdPct,
      clockMs: () => this.testbed.stepsTaken,
      ...(options.explorationCap !== undefined && { explorationCap: options.explorationCap }),
    });
    this.log = options.logPath === undefined ? undefined : new DecisionLog(options.logPath);
  }

  async steps(): Promise<void> {
    const { steps, signal, progress } = this.options;
    for (let done = 0; done < steps; done += BATCH_STEPS) {
      const until = Math.min(steps, done + BATCH_STEPS);
      const batch = (): void => {
        for (let step = done; step < until; step += 1) this.step(step);
      };
      if (this.log) this.log.batch(batch);
      else batch();
      progress(`${until} of ${steps} steps`);
      // Lets an interrupt be heard between batches.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) throw new SluiceError('cancelled', `Training was cancelled after ${until} steps.`);
    }
  }

  report(): TrainReport {
    const { checkpointPath, logPath, steps } = this.options;
    return {
      agent: this.agent.id,
      scenario: this.scenario.name,
      users: this.scenario.users,
      steps,
      explored: this.explored,
      meanResponseMs: this.tailMs / this.tailSteps,
      meanAccuracyPct: this.tailPct / this.tailSteps,
      ...(checkpointPath !== undefined && { checkpoint: checkpointPath }),
      ...(logPath !== undefined && { log: logPath }),
    };
  }

  close(): void {
    this.log?.close();
  }

  private step(step: number): void {
    const decision = this.decider.decide(this.testbed.observe());
    const id = this.log?.record(decision);
    const outcome = this.testbed.step(decision.action, this.options.thresholdPct);
    if (id !== undefined) this.log?.complete(id, outcome);
    this.decider.outcome(decision, outcome, this.testbed.observe());
    this.explored += Number(decision.reason === 'explored');
    if (step < this.options.steps * 0.9 - 1) return;
    this.tailSteps += 1;
    this.tailMs += outcome.meanResponseMs;
    this.tailPct += outcome.meanAccuracyPct;
  }
}

/** Overwriting a damaged checkpoint would destroy what a person may still rescue. */
async function refuseDamaged(path: string, scenario: Scenario): Promise<void> {
  if (!existsSync(path)) return;
  const text = await readFile(path, 'utf8');
  try {
    decodeCheckpoint(text, path, systemOf(scenario), 0);
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    // A sound checkpoint of another number of users is replaced like any other.
    if (error.code === 'bad-input' || isNewerStore(error)) throw error;
  }
}
