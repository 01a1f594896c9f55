import { describe, expect, it } from 'vitest';

import { fakeBox, fakeFigures, fakePush } from '../test-support/fake-fleet';
import { createFleetHistory } from './fleet-history';
import { createFleetStore } from './fleet-store';

describe('the history of boxes', () => {
  it('keeps the last samples of each box, with gaps where it was away', () => {
    let nowMs = 0;
    const history = createFleetHistory(() => nowMs, 4);
    const tell = (atMs: number, cpuPct: number, state: 'online' | 'offline' = 'online'): void => {
      nowMs = atMs;
      history.push(fakeBox({ id: 'a', state, figures: fakeFigures({ cpuPct }) }));
    };
    for (const sec of [1, 2, 3, 4]) tell(sec * 1000, sec * 10);
    tell(5000, 50, 'offline');
    expect(history.read('a', 'cpuPct', 60)).toEqual([
      [-3, -2, -1, 0],
      [20, 30, 40, null],
    ]);
    expect(history.read('a', 'cpuPct', 1.5)[0]).toEqual([-1, 0]);
    expect(history.read('b', 'cpuPct', 60)).toEqual([[], []]);
    history.forget('a');
    expect(history.read('a', 'cpuPct', 60)).toEqual([[], []]);
  });

  it('tells those who follow one box only of that box', () => {
    const history = createFleetHistory(() => 0);
    let told = 0;
    const stop = history.subscribe('a', () => (told += 1));
    history.push(fakeBox({ id: 'b' }));
    history.push(fakeBox({ id: 'a' }));
    stop();
    history.push(fakeBox({ id: 'a' }));
    expect(told).toBe(1);
  });
});

describe('the fleet store', () => {
  it('leaves boxes that did not change the same objects, and lets go of what is gone', () => {
    const store = createFleetStore(() => 0);
    const { actions } = store.getState();
    const [a, b] = [fakeBox({ id: 'a' }), fakeBox({ id: 'b' })];
    actions.setBoxes([a, b]);
    actions.choose(new Set(['a', 'b']));
    actions.select('b');
    actions.change([fakeBox({ id: 'a', state: 'offline' })], []);
    expect(store.getState().boxes?.get('b')).toBe(b);
    expect(store.getState().boxes?.get('a')?.state).toBe('offline');
    actions.change([], ['b']);
    expect(store.getState()).toMatchObject({ selected: undefined, chosen: new Set(['a']) });
  });

  it('measures how fast a push goes by box, and keeps one that was dismissed away unless it goes on', () => {
    let nowMs = 0;
    const store = createFleetStore(() => nowMs);
    const { actions } = store.getState();
    const at = (sentBytes: number) =>
      fakePush({ boxes: [{ box: 'a', state: 'sending', sentBytes, totalBytes: 100 }] });
    actions.updatePush(at(20));
    nowMs = 1000;
    actions.updatePush(at(60));
    expect(store.getState().pushes[0]?.rates.get('a')).toMatchObject({ bytesPerSec: 40, etaSec: 1 });
    const over = fakePush({ boxes: [{ box: 'a', state: 'failed', sentBytes: 60, totalBytes: 100 }] });
    actions.updatePush(over);
    actions.dismissPush('p1');
    actions.updatePush(over);
    expect(store.getState().pushes).toEqual([]);
    actions.updatePush(at(60));
    expect(store.getState().pushes).toHaveLength(1);
  });
});
