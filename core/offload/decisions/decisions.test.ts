import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';

import { createAgent } from '../agents/registry';
import { SimulatedTestbed } from '../environment/simulated-testbed';
import { builtInScenario } from '../scenario/built-in';
import { deploymentSystem } from '../scenario/deployment';
import { mobilenetVariants } from '../scenario/mobilenet-variants';
import { choiceName } from '../scenario/system';
import { describeSystem, systemOfDescription } from '../scenario/system-description';
import { Decider } from './decider';
import type { DeciderOptions } from './decider';
import { DecisionLog } from './decision-log';
import { FailureBackoff } from './failure-backoff';
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

  it('chooses among what is offered only, and says so', () => {
    const { decider, testbed, names } = setUp();
    const { system } = testbed;
    const offered = Uint8Array.from(system.choiceTier, (tier) => Number(tier !== 1));
    decider.offer(offered);
    decider.pauseLearning(true);
    const decision = decider.decide(testbed.observe());
    expect(names(decision.action).join()).not.toContain('edge');
    const edge = decider.explain(decision).filter(({ choice }) => choice.startsWith('edge'));
    expect(new Set(edge.map(({ barred }) => barred))).toEqual(new Set(['not-offered']));
    decider.offer(new Uint8Array(system.choices));
    expect(() => decider.decide(testbed.observe())).toThrow(/no tier and variant is left/);
    decider.pin(0, 8);
    decider.pin(1, 8);
    decider.pin(2, 8);
    expect(names(decider.decide(testbed.observe()).action)).toEqual(Array(3).fill('edge d0'));
  });

  it('property: what fails again and again waits longer, at most 16 times; an answer ends it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 5000 }), (times, firstMs) => {
        let nowMs = 0;
        const backoff = new FailureBackoff<string>(firstMs, () => nowMs);
        for (let failure = 1; failure <= times; failure += 1) {
          backoff.failed('edge');
          const waitMs = firstMs * 2 ** Math.min(4, failure - 1);
          nowMs += waitMs - 1;
          expect(backoff.takeBack()).toEqual([]);
          nowMs += 1;
          expect(backoff.takeBack()).toEqual(['edge']);
          expect(backoff.isOut('edge')).toBe(false);
        }
        backoff.failed('edge');
        expect(backoff.answered('edge')).toBe(true);
        backoff.failed('edge');
        nowMs -= 1e6;
        expect(backoff.takeBack()).toEqual([]);
        nowMs += firstMs;
        expect(backoff.takeBack()).toEqual(['edge']);
      }),
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

  it('property: however the clock jumps, what failed is left at once, and never for longer than its time', () => {
    const event = fc.oneof(
      fc.constant('fails' as const),
      fc.constant('answers' as const),
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.integer({ min: 0, max: 6000 }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const { decider, testbed, names, jump } = setUp({ retryAfterMs: 5000 }, 'edge-only');
        const decide = () => decider.decide(testbed.observe());
        const usesEdge = () => names(decide().action).join().includes('edge');
        let isOut = false;
        let id = 0;
        for (const what of events) {
          if (what === 'fails') decider.endpointFailed('edge');
          else if (what === 'answers') decider.endpointAnswered('edge');
          else jump(what);
          const uses = usesEdge();
          if (what === 'fails') expect(uses).toBe(false);
          if (what === 'answers') expect(uses).toBe(true);
          // Turning the clock back shortens nobody's time.
          if (typeof what === 'number' && what < 0 && isOut) expect(uses).toBe(false);
          isOut = !uses;
          const decision = decide();
          expect(decision.id).toBeGreaterThan(id);
          id = decision.id;
        }
        // The longest there is, and a last jump back before it.
        jump(-1e9);
        usesEdge();
        jump(16 * 5000);
        expect(usesEdge()).toBe(true);
      }),
      { numRuns: 60 },
    );
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
    // A cap of nothing is no exploring agent held back.
    expect(reasons.includes('exploration-capped')).toBe(explorationCap > 0);
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

  it('keeps the order of decisions while the clock jumps both ways', () => {
    const { step, jump } = setUp({}, 'edge-only');
    const log = new DecisionLog(':memory:');
    const times = [0, 3_600_000, -7_200_000, 1, -1, 86_400_000].map((ms) => {
      jump(ms);
      const { decision, outcome } = step();
      log.complete(log.record(decision), outcome);
      return decision.atMs;
    });
    const kept = log.list();
    expect(kept.map(({ decision }) => decision.atMs)).toEqual(times);
    for (const { outcome } of kept) expect(outcome).toBeDefined();
    log.close();
  });

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

  it('keeps who answered and what choices mean, and lists back from the newest', () => {
    const path = join(folder, 'live.db');
    const log = new DecisionLog(path);
    const { step, testbed } = setUp();
    const stages = { sendMs: 1, queueMs: 2, computeMs: 3, receiveMs: 4, sentBytes: 5, receivedBytes: 6 };
    const answers = Array.from({ length: USERS }, () => ({
      by: { tier: 'device' as const, endpointId: 'device', startMs: 30, stages },
      responseMs: 40,
      failures: [
        { tier: 'edge', endpointId: 'e1', reason: 'slow', error: 'late', startMs: 0, lostMs: 30 } as const,
      ],
    }));
    log.record(step().decision);
    for (const deployment of [deploymentSystem(USERS, mobilenetVariants()), testbed.system]) {
      log.useSystem(describeSystem(deployment));
      const { decision, outcome } = step();
      log.complete(log.record(decision), outcome, answers);
    }
    log.close();
    const again = new DecisionLog(path);
    const [newest, older, oldest] = again.listBack(Number.MAX_SAFE_INTEGER, 5);
    again.close();
    expect(newest).toMatchObject({ decision: { id: 3 }, answers });
    expect(systemOfDescription(newest!.system!)).toEqual(testbed.system);
    expect(older!.system?.sharedTiers).toEqual([true, true, true]);
    expect(oldest).not.toHaveProperty('system');
  });

  it('opens a log of version 1, keeps its decisions and goes on', () => {
    const path = join(folder, 'version-1.db');
    const old = new Database(path);
    old.exec(`
      CREATE TABLE decisions (id INTEGER PRIMARY KEY, at_ms REAL NOT NULL, agent TEXT NOT NULL, state BLOB NOT NULL,
        threshold_pct REAL NOT NULL, action BLOB NOT NULL, reason TEXT NOT NULL, pinned_users TEXT NOT NULL,
        accuracy_pct REAL NOT NULL, predicted_ms REAL, response_ms TEXT, mean_ms REAL, reward_ms REAL) STRICT;
      INSERT INTO decisions VALUES (7, 1, 'dqn', x'00', 89, x'0c', 'explored', '[]', 89.5, NULL, '[12]', 12, -12);
      PRAGMA user_version = 1;`);
    old.close();
    for (let opened = 0; opened < 2; opened += 1) {
      const log = new DecisionLog(path);
      log.record(setUp().step().decision);
      expect(log.list()[0]).toMatchObject({
        decision: { id: 7, agent: 'dqn' },
        outcome: { meanResponseMs: 12 },
      });
      expect(log.list()).toHaveLength(2 + opened);
      log.close();
    }
  });

  it.each([
    ['answers that are no JSON', "answers = '{'"],
    ['answers of another shape', `answers = '[{"by": 3}]'`],
    ['a system that is gone', 'system_id = 99'],
    ['pins that are no JSON', "pinned_users = 'x'"],
  ])('says that a decision is damaged: %s', (_, change) => {
    const path = join(folder, 'damaged.db');
    rmSync(path, { force: true });
    const log = new DecisionLog(path);
    log.record(setUp().step().decision);
    const other = new Database(path);
    other.exec(`PRAGMA foreign_keys = OFF; UPDATE decisions SET ${change}`);
    other.close();
    expect(() => log.list()).toThrow(/damaged\.db: a decision is damaged \(/);
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
