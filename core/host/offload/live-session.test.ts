import { afterEach, expect, it, vi } from 'vitest';

import { SluiceError } from '../../contract';
import { createAgent, DecisionLog, deploymentSystem, mobilenetVariants } from '../../offload';
import type { LiveEndpoint } from '../../offload';
import { FakeClock } from '../test-support/fake-clock';
import type { Round } from './decision-records';
import { CurveRecorder } from './learning-curve';
import { LiveSession } from './live-session';

const SETTINGS = {
  agent: 'q-learning',
  users: 1,
  thresholdPct: 0,
  periodMs: 100,
  explorationCap: 1,
} as const;
const NOBODY = {
  up: () => [],
  leftAlone: () => [],
  all: () => [],
  failed: () => undefined,
  answered: () => undefined,
};
const full = new SluiceError('io', 'database or disk is full');

afterEach(() => vi.restoreAllMocks());

function makeSession(log: DecisionLog): { session: LiveSession; clock: FakeClock; ended: Round[] } {
  const clock = new FakeClock();
  const ended: Round[] = [];
  const system = deploymentSystem(SETTINGS.users, mobilenetVariants().slice(0, 1));
  const stages = { sendMs: 0, queueMs: 0, computeMs: 5, receiveMs: 0, sentBytes: 0, receivedBytes: 0 };
  const device: LiveEndpoint = {
    id: 'device',
    tier: 'device',
    offers: () => true,
    infer: () => Promise.resolve({ responseMs: 5, stages }),
  };
  const session = new LiveSession({
    agent: createAgent(SETTINGS.agent, system, 1),
    settings: SETTINGS,
    device: device as never,
    endpoints: NOBODY as never,
    log,
    clock,
    deviceFigures: () => ({}),
    onRound: (round) => round.outcome && ended.push(round),
    curve: new CurveRecorder(),
  });
  return { session, clock, ended };
}

it.each(['useSystem', 'record', 'complete'] as const)(
  'waits while the disk is full (%s), says so, and goes on by itself when it is not',
  async (method) => {
    const log = new DecisionLog(':memory:');
    const failing = vi.spyOn(log, method).mockImplementation(() => {
      throw full;
    });
    const { session, clock, ended } = makeSession(log);
    const abort = new AbortController();
    const done = session.run(abort.signal);
    await clock.advance(3000);
    expect(session.waitsFor).toMatchObject({ code: 'io', message: full.message });
    expect(ended).toEqual([]);
    failing.mockRestore();
    await clock.advance(3000);
    expect(session.waitsFor).toBeUndefined();
    expect(ended.length).toBeGreaterThan(1);
    const ids = new Set(log.list().flatMap(({ decision, outcome }) => (outcome ? [decision.id] : [])));
    expect(ended.filter(({ decision }) => !ids.has(decision.id))).toEqual([]);
    abort.abort();
    await clock.advance(1);
    await done;
    log.close();
  },
);

it('ends by what no waiting mends', async () => {
  const log = new DecisionLog(':memory:');
  vi.spyOn(log, 'record').mockImplementation(() => {
    throw new SluiceError('internal', 'a defect');
  });
  const { session, clock } = makeSession(log);
  const done = expect(session.run(new AbortController().signal)).rejects.toThrow('a defect');
  await clock.advance(1000);
  await done;
  log.close();
});
