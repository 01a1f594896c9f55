import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fakeRunAt, fakeRunId, fakeRunRow, fakeRuns } from '../test-support/fake-lab';
import { createLabStore, withChanges } from './lab-store';
import { DEFAULT_TABLE_LAYOUT, parseTableLayout } from './lab-table-layout';

const NO_STORAGE = { getItem: () => null, setItem: () => undefined };

describe('rows of runs', () => {
  it('are what a list would be that is changed by changes, whatever the changes', () => {
    const change = fc.record({
      add: fc.array(fc.nat(30), { maxLength: 6 }),
      remove: fc.array(fc.nat(30), { maxLength: 4 }),
      isWhole: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        let rows = withChanges([], { revision: '0', isWhole: true, runs: fakeRuns(10), removed: [] });
        const model = new Set(rows.map(({ runId }) => runId));
        for (const { add, remove, isWhole } of changes) {
          const runs = [...new Set(add)].map((index) => fakeRunAt(index, 40));
          const removed = remove.map(fakeRunId).filter((id) => !runs.some(({ runId }) => runId === id));
          if (isWhole) model.clear();
          for (const { runId } of runs) model.add(runId);
          if (!isWhole) for (const id of removed) model.delete(id);
          rows = withChanges(rows, { revision: '1', isWhole, runs, removed });
        }
        expect(new Set(rows.map(({ runId }) => runId))).toEqual(model);
        expect(rows.map(({ createdMs }) => createdMs)).toEqual(
          rows.map(({ createdMs }) => createdMs).sort((a, b) => b - a),
        );
      }),
    );
  });

  it('that did not change stay the same objects', () => {
    const rows = fakeRuns(5);
    const changed = { ...rows[2]!, state: 'failed' as const };
    const next = withChanges(rows, { revision: '1', isWhole: false, runs: [changed], removed: [] });
    expect(next.map((row, index) => row === rows[index])).toEqual([true, true, false, true, true]);
    expect(withChanges(rows, { revision: '2', isWhole: false, runs: [], removed: [] })).toBe(rows);
  });

  it('take what was chosen and what is open with them when they go', () => {
    const store = createLabStore(NO_STORAGE);
    const { actions } = store.getState();
    const [a, b] = [fakeRunRow({ runId: fakeRunId(1) }), fakeRunRow({ runId: fakeRunId(2) })];
    actions.applyRuns({ revision: '1', isWhole: true, runs: [a, b], removed: [] });
    actions.choose(new Set([a.runId, b.runId]));
    actions.open({ kind: 'run', runId: a.runId });
    actions.applyRuns({ revision: '2', isWhole: false, runs: [], removed: [a.runId] });
    expect([...store.getState().chosen]).toEqual([b.runId]);
    expect(store.getState().over).toBeUndefined();
  });
});

describe('the layout of the table', () => {
  it('is remembered', () => {
    let kept = '';
    const storage = {
      getItem: () => kept || null,
      setItem: (_: string, value: string) => void (kept = value),
    };
    createLabStore(storage)
      .getState()
      .actions.setTable({ columns: ['user', 'metrics.loss'], pinned: ['user'], group: 'params.lr' });
    expect(createLabStore(storage).getState().table).toMatchObject({
      columns: ['user', 'metrics.loss'],
      pinned: ['user'],
      group: 'params.lr',
    });
  });

  it.each([
    [null],
    ['{'],
    ['[]'],
    ['{"columns":7,"pinned":{},"widths":[],"sort":"x","group":3}'],
    ['{"widths":{"name":"wide"}}'],
  ])('takes its default for what can’t be used: %s', (text) =>
    expect(parseTableLayout(text)).toEqual(DEFAULT_TABLE_LAYOUT),
  );
});
