import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { DecisionRecord } from '../../core/contract';
import { fakeDecision, fakeEndpoint, fakeUser } from '../test-support/fake-offload';
import { createEndpointsStore } from './endpoints-store';
import { createOffloadStore, MAX_DECISIONS, mergeDecisions } from './offload-store';

function begun(id: number): DecisionRecord {
  const { meanResponseMs: _mean, rewardMs: _reward, ...record } = fakeDecision({ id });
  return { ...record, users: [fakeUser()] };
}

describe('decisions', () => {
  it('are kept once each, newest first, and never fall back from their end to their start', () => {
    const record = fc
      .tuple(fc.nat(40), fc.boolean())
      .map(([id, over]) => (over ? fakeDecision({ id }) : begun(id)));
    fc.assert(
      fc.property(fc.array(fc.array(record, { maxLength: 12 }), { maxLength: 8 }), (batches) => {
        let decisions: readonly DecisionRecord[] = [];
        for (const batch of batches) decisions = mergeDecisions(decisions, batch);
        const told = batches.flat();
        const ids = decisions.map(({ id }) => id);
        expect(ids).toEqual([...new Set(told.map(({ id }) => id))].sort((a, b) => b - a));
        for (const { id, rewardMs } of decisions) {
          const ended = told.some((other) => other.id === id && other.rewardMs !== undefined);
          expect(rewardMs !== undefined).toBe(ended);
        }
      }),
    );
  });

  it('are bounded: the oldest go', () => {
    const store = createOffloadStore();
    const { addDecisions } = store.getState().actions;
    addDecisions(Array.from({ length: MAX_DECISIONS }, (_, id) => fakeDecision({ id })));
    addDecisions([begun(MAX_DECISIONS)]);
    const { decisions } = store.getState();
    expect(decisions).toHaveLength(MAX_DECISIONS);
    expect([decisions[0]?.id, decisions.at(-1)?.id]).toEqual([MAX_DECISIONS, 1]);
  });
});

describe('endpoints', () => {
  it('stand by tier and name; one record replaces its earlier one', () => {
    const store = createEndpointsStore();
    const { setEndpoints, update } = store.getState().actions;
    setEndpoints([
      fakeEndpoint({ name: 'c', tier: 'cloud' }),
      fakeEndpoint({ name: 'z' }),
      fakeEndpoint({ name: 'b' }),
    ]);
    update(fakeEndpoint({ name: 'b', token: 'keychain' }));
    update(fakeEndpoint({ name: 'a', tier: 'cloud' }));
    expect(store.getState().endpoints?.map(({ name, token }) => `${name} ${token}`)).toEqual([
      'b keychain',
      'z none',
      'a none',
      'c none',
    ]);
  });

  it('have their tests apart from each other', () => {
    const store = createEndpointsStore();
    const { setTest } = store.getState().actions;
    setTest('a', { state: 'running' });
    setTest('b', { state: 'done', test: { ok: true, steps: [] } });
    setTest('a', undefined);
    expect(store.getState().tests).toEqual({ b: { state: 'done', test: { ok: true, steps: [] } } });
  });
});
