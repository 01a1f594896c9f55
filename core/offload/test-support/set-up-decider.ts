import { createAgent } from '../agents/registry';
import { Decider } from '../decisions/decider';
import type { DeciderOptions } from '../decisions/decider';
import { SimulatedTestbed } from '../environment/simulated-testbed';
import { builtInScenario } from '../scenario/built-in';
import { choiceName } from '../scenario/system';

/** Of the testbed. */
export const USERS = 3;

/** A decider over a simulated testbed, with a clock that is moved by hand. */
export function setUpDecider(options: Partial<DeciderOptions> = {}, agentName = 'factored') {
  const testbed = new SimulatedTestbed(builtInScenario({ users: USERS, links: 'B' }), 1);
  const agent = createAgent(agentName, testbed.system, 7);
  let nowMs = 1000;
  const decider = new Decider(agent, { thresholdPct: 85, clockMs: () => nowMs, ...options });
  const step = () => {
    const decision = decider.decide(testbed.observe());
    const outcome = testbed.step(decision.action, 85);
    decider.outcome(decision, outcome, testbed.observe());
    return { decision, outcome };
  };
  const jump = (ms: number) => {
    nowMs += ms;
  };
  const names = (action: Uint8Array) => Array.from(action, (choice) => choiceName(testbed.system, choice));
  return { testbed, agent, decider, step, jump, names };
}
