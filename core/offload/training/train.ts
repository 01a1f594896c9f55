import type { Agent } from '../agents/agent';
import { SluiceError } from '../../contract';
import type { Environment, Outcome } from '../environment/environment';
import { freeConstraints } from '../learning/constraints';
import type { Constraints } from '../learning/constraints';
import type { SystemState } from '../scenario/system';

export interface TrainOptions {
  readonly steps: number;
  readonly thresholdPct: number;
  /**
   * Called after each real step; the arguments live until it returns. @returns true to end the training early.
   */
  readonly onStep?: (step: number, outcome: Outcome, explored: boolean) => boolean;
  readonly signal?: AbortSignal;
}

/**
 * Lets an agent decide, carries it out, and lets the agent learn from the outcome.
 * @returns real steps taken. @throws SluiceError `cancelled`; what the environment throws.
 */
export async function train(agent: Agent, environment: Environment, options: TrainOptions): Promise<number> {
  const constraints = freeConstraints(environment.system, options.thresholdPct);
  const action = new Uint8Array(environment.system.users);
  let state = await environment.observe();
  for (let step = 1; step <= options.steps; step += 1) {
    if (options.signal?.aborted) {
      throw new SluiceError('cancelled', `Training was cancelled after ${step - 1} steps.`, {
        steps: step - 1,
      });
    }
    const explored = agent.explore(state, constraints, action);
    const outcome = await environment.step(action, options.thresholdPct);
    const next = await environment.observe();
    agent.learn(state, action, outcome, next);
    if (options.onStep?.(step, outcome, explored) === true) return step;
    state = next;
  }
  return options.steps;
}

/** An environment that answers at once. */
export interface ImmediateEnvironment extends Environment {
  observe(): SystemState;
  step(action: Uint8Array, thresholdPct: number): Outcome;
}

/** One step of `train` against an environment that answers at once: what sweeps of simulations run. */
export function trainStep(
  agent: Agent,
  environment: ImmediateEnvironment,
  constraints: Constraints,
  action: Uint8Array,
): Outcome {
  const state = environment.observe();
  agent.explore(state, constraints, action);
  const outcome = environment.step(action, constraints.thresholdPct);
  agent.learn(state, action, outcome, environment.observe());
  return outcome;
}
