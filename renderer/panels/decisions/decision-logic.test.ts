import { describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../core/contract';
import type { DecisionRecord } from '../../../core/contract';
import {
  FAKE_VARIANTS,
  fakeBeliefs,
  fakeDecision,
  fakeDeployment,
  fakeLearning,
  fakeNodes,
  fakeUser,
} from '../../test-support/fake-offload';
import { createTestSession } from '../../test-support/test-session';
import { cancelInstall, exportText, installExample, startDeployment, togglePin } from './decision-actions';
import { choicesText, outcomeText } from './decision-text';
import { learningColumns } from './learning-chart';
import { cellState, cellText, gridKey, gridOf, presentChoices } from './matrix-model';
import { topAbove } from './plot-axes';
import { regimeChanges } from './regimes';
import { responseColumns } from './response-chart';

vi.mock('../../ui/plot', () => ({ Plot: () => null }));

const plain = (text: string): string => text.replaceAll('\u2009', ' ');
const FAILED = fakeUser({
  tier: 'cloud',
  answeredBy: 'edge',
  failures: [{ tier: 'cloud', endpoint: 'cloud-eu', reason: 'failed', error: 'refused', lostMs: 30 }],
});

function underWay(id: number): DecisionRecord {
  const { meanResponseMs: _mean, rewardMs: _reward, ...record } = fakeDecision({ id });
  const { responseMs: _response, answeredBy: _by, ...user } = fakeUser();
  return { ...record, users: [user] };
}

describe('a decision in words', () => {
  it('names a few users’ choices and counts those of many', () => {
    expect(choicesText([fakeUser(), fakeUser({ tier: 'device', variant: 'd7' })])).toBe(
      'edge d2 · device d7',
    );
    const many = [...Array.from({ length: 12 }, () => fakeUser()), fakeUser({ tier: 'cloud' })];
    expect(choicesText(many)).toBe('12 × edge d2, 1 × cloud d2');
  });

  it('says what failed and who answered instead, and nothing when all went well', () => {
    expect(outcomeText(fakeDecision({ id: 1 }))).toBe('');
    expect(outcomeText(underWay(1))).toBe('under way');
    expect(outcomeText(fakeDecision({ id: 1, users: [fakeUser(), FAILED] }))).toBe(
      'cloud-eu failed, edge answered',
    );
    const { responseMs: _response, answeredBy: _by, ...nobody } = FAILED;
    expect(outcomeText(fakeDecision({ id: 1, users: [FAILED, nobody], meanResponseMs: 9 }))).toBe(
      'cloud-eu failed, edge answered and 1 more',
    );
    expect(outcomeText(fakeDecision({ id: 1, users: [nobody], meanResponseMs: 9 }))).toBe('nobody answered');
  });
});

it('marks each change of link, processor, memory and bar, oldest first', () => {
  const rounds = [
    fakeDecision({ id: 1 }),
    fakeDecision({ id: 2, nodes: fakeNodes({ edge: { link: 'weak' } }) }),
    fakeDecision({
      id: 3,
      nodes: fakeNodes({ edge: { link: 'weak', barred: 'down' }, cloud: { cpu: 'busy' } }),
    }),
    fakeDecision({ id: 4, nodes: fakeNodes({ cloud: { cpu: 'busy', memory: 'short' } }) }),
    fakeDecision({ id: 5, nodes: fakeNodes({ cloud: { cpu: 'busy', memory: 'short' } }) }),
  ];
  const changes = regimeChanges([...rounds].reverse());
  expect(changes.map(({ decisionId, text }) => `${decisionId}: ${text}`)).toEqual([
    '2: edge link weak',
    '3: edge barred, cloud CPU busy',
    '4: edge back, edge link regular, cloud memory short',
  ]);
});

describe('the matrix', () => {
  const deployment = fakeDeployment({ nodes: fakeNodes({ cloud: { barred: 'cloud-eu is down' } }) });
  const grid = gridOf(fakeBeliefs(deployment), deployment.variants);
  const belief = (tier: 'device' | 'cloud', index: number) => grid.get(gridKey(1, tier))?.[index];

  it('has a place for every user, tier and variant', () => {
    expect(grid.size).toBe(9);
    for (const row of grid.values())
      expect(row.map((one) => one?.variant)).toEqual(FAKE_VARIANTS.map((v) => v.id));
  });

  it('counts a pin before a choice, and a choice before what bars it', () => {
    expect(cellState(belief('cloud', 0), true, true, true)).toBe('pinned');
    expect(cellState(belief('cloud', 0), false, true, true)).toBe('chosen');
    expect(cellState(belief('cloud', 0), false, false, false)).toBe('barred');
    expect(cellState(undefined, false, false, true)).toBe('barred');
    expect(cellState(belief('device', 0), false, false, false)).toBe('free');
  });

  it('says a cell in words, with the reason it is barred', () => {
    const cell = { user: 1, tier: 'device', variant: 'd4' } as const;
    expect(plain(cellText(cell, belief('device', 3), 'barred', undefined))).toBe(
      'user 2, device d4; predicted 4.00 ms; barred: mean accuracy would fall below the threshold',
    );
    expect(cellText(cell, undefined, 'barred', 'it is down')).toBe(
      'user 2, device d4; no prediction yet; barred: it is down',
    );
  });

  it('keeps the last answer beside a choice that is under way', () => {
    const [present] = presentChoices(fakeDeployment(), [underWay(2), fakeDecision({ id: 1 })]);
    expect(present?.choice?.responseMs).toBeUndefined();
    expect(present?.last?.responseMs).toBeGreaterThan(0);
    expect(presentChoices(fakeDeployment(), [])).toHaveLength(3);
  });
});

describe('plots', () => {
  it('leave gaps where nothing was measured, and start the log axis at one', () => {
    const [seconds, measured] = responseColumns([underWay(2), fakeDecision({ id: 1, meanResponseMs: 9 })]);
    expect(seconds[1]! - seconds[0]!).toBeCloseTo(0.1, 5);
    expect(measured).toEqual([9, null]);
    const [steps, errors] = learningColumns(
      { ...fakeLearning(3), step: Float64Array.of(0, 2, 9) },
      'predictionErrorPct',
    );
    expect(steps).toEqual([1, 2, 9]);
    expect(errors[0]).toBeNull();
    expect(learningColumns(undefined, 'rewardMs')).toEqual([[], []]);
  });

  it('end axes on round values', () => {
    expect([null, 3, 7, 41, 1240].map((high) => topAbove(high, 1))).toEqual([1, 4, 8, 50, 2000]);
  });
});

describe('requests', () => {
  it('pin a choice, and unpin it when it is pinned already', async () => {
    const { session, engine, setStatus } = createTestSession({});
    const pin = { user: 1, tier: 'edge', variant: 'd3' } as const;
    engine.script({
      'offload.state': () => fakeDeployment(),
      'offload.pin': (input) => fakeDeployment({ pins: [input] }),
      'offload.unpin': () => fakeDeployment(),
    });
    setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(session.offload.getState().deployment).toBeDefined());
    await togglePin(session, pin);
    expect(session.offload.getState().deployment?.pins).toEqual([pin]);
    await togglePin(session, pin);
    expect(engine.received.at(-1)).toMatchObject({ request: 'offload.unpin', input: { user: 1 } });
    expect(session.offload.getState().deployment?.pins).toEqual([]);
  });

  it('that are refused say what was not done and why', async () => {
    const { session, engine, setStatus } = createTestSession({});
    setStatus({ state: 'ok' });
    engine.script({
      'offload.start': () => {
        throw new SluiceError('conflict', 'The threshold of 99% is above every variant. Lower it.');
      },
    });
    await startDeployment(session);
    expect(session.offload.getState().fault).toMatchObject({
      title: 'The deployment did not start',
      error: { code: 'conflict' },
    });
  });

  it('follow the example’s job by its id, and forget it when it was cancelled', async () => {
    const { session, engine, setStatus } = createTestSession({});
    setStatus({ state: 'ok' });
    let refuse: (error: SluiceError) => void = () => undefined;
    engine.script({
      'offload.installExample': () => new Promise((_resolve, reject) => (refuse = reject)),
      'jobs.cancel': () => {
        refuse(new SluiceError('cancelled', 'stopped'));
        return {};
      },
    });
    const done = installExample(session);
    const jobId = session.offload.getState().installJobId;
    expect(jobId).toBeDefined();
    await vi.waitFor(() =>
      expect(engine.received.some(({ request }) => request === 'offload.installExample')).toBe(true),
    );
    await cancelInstall(session);
    await done;
    expect(engine.received.find(({ request }) => request === 'jobs.cancel')?.input).toEqual({ jobId });
    expect(session.offload.getState()).toMatchObject({ installJobId: undefined, fault: undefined });
  });

  it('save what is exported under the engine’s name for it', async () => {
    const saveText = vi.fn((name: string) => Promise.resolve(`/home/user/${name}`));
    const { session, engine, setStatus } = createTestSession({ host: { saveText } });
    setStatus({ state: 'ok' });
    engine.script({ 'offload.export': ({ what }) => ({ name: `${what}.jsonl`, text: '{}' }) });
    await exportText(session, 'decisions');
    expect(saveText).toHaveBeenCalledWith('decisions.jsonl', '{}', 'decisions');
    expect(session.offload.getState().saved).toBe('/home/user/decisions.jsonl');
  });
});
