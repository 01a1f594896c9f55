import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import Database from 'libsql';
import { afterAll, describe, expect, it } from 'vitest';

import { deploymentSystem } from '../scenario/deployment';
import { mobilenetVariants } from '../scenario/mobilenet-variants';
import { describeSystem, systemOfDescription } from '../scenario/system-description';
import { setUpDecider, USERS } from '../test-support/set-up-decider';
import { DecisionLog } from './decision-log';
import { replayDecisions } from './replay';

const folder = mkdtempSync(join(tmpdir(), 'sluice-decisions-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('decision log', () => {
  it.each(['q-learning', 'dqn', 'hybrid', 'factored', 'linucb'])(
    'replays %s to the same decisions',
    (name) => {
      const path = join(folder, `${name}.db`);
      const log = new DecisionLog(path);
      const { step } = setUpDecider({ explorationCap: 0.3 }, name);
      for (let round = 0; round < 60; round += 1) {
        const { decision, outcome } = step();
        log.complete(log.record(decision), outcome);
      }
      log.close();
      const again = new DecisionLog(path);
      const logged = again.list();
      again.close();
      expect(logged).toHaveLength(60);
      const report = replayDecisions(logged, setUpDecider({ explorationCap: 0.3 }, name).decider);
      expect(report.same).toBe(60);
      expect(report.meanResponseMs).toBeGreaterThan(0);
    },
  );

  it('keeps the order of decisions while the clock jumps both ways', () => {
    const { step, jump } = setUpDecider({}, 'edge-only');
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
    const { step } = setUpDecider();
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
    const { step, testbed } = setUpDecider();
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
      log.record(setUpDecider().step().decision);
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
    log.record(setUpDecider().step().decision);
    const other = new Database(path);
    other.exec(`PRAGMA foreign_keys = OFF; UPDATE decisions SET ${change}`);
    other.close();
    expect(() => log.list()).toThrow(/damaged\.db: a decision is damaged \(/);
    log.close();
  });

  it('writes a batch all or not at all', () => {
    const log = new DecisionLog(':memory:');
    const { step } = setUpDecider();
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
