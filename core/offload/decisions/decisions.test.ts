import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { createAgent } from '../agents/registry';
import { SimulatedTestbed } from '../environment/simulated-testbed';
import { builtInScenario } from '../scenario/built-in';
import { choiceName } from '../scenario/system';
import { Decider } from './decider';
import type { DeciderOptions } from './decider';
import { DecisionLog } from './decision-log';
import { replayDecisions } from './replay';

const folder = mkdtempSync(join(tmpdir(), 'sluice-decisions-'));
afterAll(() => rmSync(folder, { recursive: true }));

const USERS = 3;

function setUp(options: Partial<DeciderOptions> = {}, agentName = 'factored') {
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

describe('decider', () => {
  it('explains: every alternative with prediction and accuracy, the chosen one marked', () => {
    const { decider, step, testbed } = setUp();
    for (let round = 0; round < 80; round += 1) step();
    decider.pauseLearning(true);
    const decision = decider.decide(testbed.observe());
    expect(decision).toMatchObject({ reason: 'best-known', thresholdPct: 85, agent: 'factored' });
    const candidates = decider.explain(decision);
    expect(candidates).toHaveLength(USERS * testbed.system.choices);
    const chosen = candidates.filter((candidate) => candidate.chosen);
    expect(chosen).toHaveLength(USERS);
    for (const { barred, predictedMeanMs, chosen: own } of candidates) {
      if (!barred && !own) expect(predictedMeanMs!).toBeGreaterThanOrEqual(decision.predictedMeanMs! - 1e-6);
    }
  });

  it('a pin overrides the agent, also below the threshold, and goes again', () => {
    const { decider, testbed, names } = setUp();
    const { system } = testbed;
    const weakest = system.choiceAccuracyPct.indexOf(system.leastAccuratePct);
    decider.pin(0, weakest);
    const one = decider.decide(testbed.observe());
    expect(names(one.action)[0]).toBe('device d7');
    expect(one.pinnedUsers).toEqual([0]);
    expect(one.meanAccuracyPct).toBeLessThan(85);
    expect(one.reason).toBe('threshold-out-of-reach');
    decider.unpin(0);
    expect(decider.decide(testbed.observe()).meanAccuracyPct).toBeGreaterThanOrEqual(85 - 1e-6);
    expect(() => decider.pin(USERS, 0)).toThrow(
      /expected a user below 3 and a choice below 24, found user 3/,
    );
  });

  it('leaves an endpoint that failed with the next decision, and tries it again later', () => {
    const { decider, step, testbed, names, jump } = setUp({ retryAfterMs: 5000 });
    for (let round = 0; round < 60; round += 1) step();
    decider.endpointFailed('device');
    const without = names(decider.decide(testbed.observe()).action);
    for (const choice of without) expect(choice).not.toMatch(/^device/);
    jump(5000);
    decider.pauseLearning(true);
    expect(names(decider.decide(testbed.observe()).action).join()).toContain('device');
  });

  it('survives a clock that jumps back: the endpoint is tried again after its time', () => {
    const { decider, testbed, names, jump } = setUp({ retryAfterMs: 5000, explorationCap: 0 }, 'edge-only');
    decider.endpointFailed('edge');
    const usesEdge = () => names(decider.decide(testbed.observe()).action).join().includes('edge');
    jump(-3_600_000);
    expect(usesEdge()).toBe(false);
    jump(4999);
    expect(usesEdge()).toBe(false);
    jump(1);
    expect(usesEdge()).toBe(true);
  });

  it('says what is left when everything is down or pinned away', () => {
    const { decider, testbed } = setUp();
    for (const tier of ['device', 'edge', 'cloud'] as const) decider.endpointFailed(tier);
    expect(() => decider.decide(testbed.observe())).toThrow(/User 0: no tier and variant is left/);
  });

  it.each([
    [0, 0],
    [0.05, 5],
    [0.2, 20],
  ])('caps exploration at a share of %d', (explorationCap, most) => {
    const { step } = setUp({ explorationCap }, 'q-learning');
    const reasons = Array.from({ length: 300 }, () => step().decision.reason);
    for (let from = 0; from + 100 <= reasons.length; from += 1) {
      const explored = reasons.slice(from, from + 100).filter((reason) => reason === 'explored').length;
      expect(explored).toBeLessThanOrEqual(most);
    }
    expect(reasons).toContain('exploration-capped');
  });

  it('does not learn while learning is paused', () => {
    const { agent, decider, step } = setUp({}, 'q-learning');
    for (let round = 0; round < 20; round += 1) step();
    const before = agent.memory();
    decider.pauseLearning(true);
    for (let round = 0; round < 20; round += 1) expect(step().decision.reason).toBe('best-known');
    expect(agent.memory()).toEqual(before);
  });
});

describe('decision log', () => {
  it.each(['q-learning', 'dqn', 'hybrid', 'factored', 'linucb'])(
    'replays %s to the same decisions',
    (name) => {
      const path = join(folder, `${name}.db`);
      const log = new DecisionLog(path);
      const { step } = setUp({ explorationCap: 0.3 }, name);
      for (let round = 0; round < 60; round += 1) {
        const { decision, outcome } = step();
        log.complete(log.record(decision), outcome);
      }
      log.close();
      const again = new DecisionLog(path);
      const logged = again.list();
      again.close();
      expect(logged).toHaveLength(60);
      const report = replayDecisions(logged, setUp({ explorationCap: 0.3 }, name).decider);
      expect(report.same).toBe(60);
      expect(report.meanResponseMs).toBeGreaterThan(0);
    },
  );

  it('keeps a decision whose outcome never came, and pages', () => {
    const log = new DecisionLog(':memory:');
    const { step } = setUp();
    const first = step();
    const ids = [log.record(first.decision), log.record(step().decision), log.record(step().decision)];
    log.complete(ids[0]!, first.outcome);
    const [kept, open] = log.list(0, 2);
    expect(kept?.decision).toEqual({ ...first.decision, id: ids[0] });
    expect(kept?.outcome?.meanResponseMs).toBe(first.outcome.meanResponseMs);
    expect(open).toMatchObject({ decision: { id: ids[1] } });
    expect(open?.outcome).toBeUndefined();
    expect(log.list(ids[1])).toHaveLength(1);
    expect(() => log.complete(999, first.outcome)).toThrow(/holds no decision 999/);
    log.close();
  });

  it('writes a batch all or not at all', () => {
    const log = new DecisionLog(':memory:');
    const { step } = setUp();
    const batch = () =>
      log.batch(() => {
        log.record(step().decision);
        throw new Error('half-way');
      });
    expect(batch).toThrow('half-way');
    expect(log.list()).toHaveLength(0);
    log.close();
  });

  it.each([
    [
      'no database',
      (path: string) => writeFileSync(path, 'not a database, but long enough to be read as a header'),
    ],
  ])('refuses a file that is %s', (_, make) => {
    const path = join(folder, 'other.db');
    make(path);
    expect(() => new DecisionLog(path)).toThrow(/other\.db/);
  });

  it('refuses a folder that is not there', () => {
    expect(() => new DecisionLog(join(folder, 'no', 'log.db'))).toThrow(/Can't open the decision log/);
  });
});
