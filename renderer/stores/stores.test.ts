import { describe, expect, it } from 'vitest';

import type { Job } from '../../core/contract';
import { fakeBatch, fakeRun, TEXT_RESULT } from '../test-support/fake-engine';
import { sumBudget } from './budget-store';
import { createJobsStore, trackJob } from './jobs-store';
import type { TrackedJob } from './jobs-store';
import { createLayoutStore, parseLayout } from './layout-store';
import type { KeyValueStorage } from './layout-store';
import { createRunSetupStore } from './run-setup-store';
import { createRunsStore } from './runs-store';
import { createTelemetryHub } from './telemetry-hub';

const ERROR = { code: 'engine-down', message: 'gone', details: {} } as const;

function job(part: Partial<Job>): Job {
  return {
    id: 'j',
    kind: 'import',
    subject: 'm',
    phase: 'writing',
    doneBytes: 0,
    totalBytes: 1000,
    state: 'running',
    startedAt: '2026-05-01T10:00:00.000Z',
    ...part,
  };
}

describe('job tracking', () => {
  it('measures rate and time left over the last seconds', () => {
    let tracked: TrackedJob | undefined;
    for (const [atMs, doneBytes] of [
      [0, 0],
      [1000, 100],
      [2000, 300],
    ] as const) {
      tracked = trackJob(tracked, job({ doneBytes }), atMs);
    }
    expect(tracked?.bytesPerSec).toBe(150);
    expect(tracked?.etaSec).toBeCloseTo(700 / 150, 9);
    tracked = trackJob(tracked, job({ doneBytes: 900 }), 5500);
    expect(tracked.bytesPerSec).toBeCloseTo((900 - 300) / 3.5, 6);
  });

  it('says nothing from one report, and starts anew with each phase', () => {
    const first = trackJob(undefined, job({ doneBytes: 10 }), 0);
    expect(first.bytesPerSec).toBeUndefined();
    const next = trackJob(first, job({ phase: 'checking', doneBytes: 500 }), 1000);
    expect(next.bytesPerSec).toBeUndefined();
    expect(next.reports).toHaveLength(1);
  });

  it('gives a rate without an end while the total is unknown', () => {
    const tracked = trackJob(
      trackJob(undefined, job({ totalBytes: 0 }), 0),
      job({ totalBytes: 0, doneBytes: 5 }),
      1000,
    );
    expect(tracked.bytesPerSec).toBe(5);
    expect(tracked.etaSec).toBeUndefined();
  });

  it('fails what ran when the engine went, keeps what ended, forgets what is dismissed', () => {
    const store = createJobsStore(() => 0);
    const { update, failRunning, dismiss, replaceAll } = store.getState().actions;
    update(job({ id: 'a' }));
    update(job({ id: 'b', state: 'done' }));
    failRunning(ERROR);
    expect(store.getState().jobs.map(({ job: each }) => [each.id, each.state])).toEqual([
      ['b', 'done'],
      ['a', 'failed'],
    ]);
    dismiss('b');
    replaceAll([job({ id: 'c' })]);
    expect(store.getState().jobs.map(({ job: each }) => each.id)).toEqual(['c', 'a']);
  });
});

describe('runs', () => {
  it('keeps newest first and the last result while records come without one', () => {
    const store = createRunsStore();
    const { update, setResult } = store.getState().actions;
    update(fakeRun({ id: 'old', startedAt: '2026-05-01T10:00:00.000Z' }));
    update(fakeRun({ id: 'new', startedAt: '2026-05-01T10:00:05.000Z' }));
    setResult('old', TEXT_RESULT);
    update(fakeRun({ id: 'old', state: 'done' }));
    expect(store.getState().runs.map(({ id }) => id)).toEqual(['new', 'old']);
    expect(store.getState().runs[1]).toMatchObject({ state: 'done', result: TEXT_RESULT });
  });

  it('fails what ran when the engine went', () => {
    const store = createRunsStore();
    store.getState().actions.update(fakeRun({ id: 'a' }));
    store.getState().actions.update(fakeRun({ id: 'b', state: 'done' }));
    store.getState().actions.failRunning(ERROR);
    expect(
      store
        .getState()
        .runs.map(({ id, state }) => `${id} ${state}`)
        .sort(),
    ).toEqual(['a failed', 'b done']);
  });

  it('keeps runs a new engine does not know; one that was running is lost', () => {
    const store = createRunsStore();
    store.getState().actions.update(fakeRun({ id: 'a' }));
    store.getState().actions.update(fakeRun({ id: 'b' }));
    store.getState().actions.replaceAll([fakeRun({ id: 'b' })]);
    const states = store.getState().runs.map(({ id, state }) => `${id} ${state}`);
    expect(states.sort()).toEqual(['a failed', 'b running']);
  });
});

describe('run setups', () => {
  it('are kept per model, and a change clears an earlier refusal', () => {
    const store = createRunSetupStore();
    const { change, refused, started } = store.getState().actions;
    refused('a', ERROR);
    change('a', { mode: 'sync' });
    change('b', { budgetBytes: 5 });
    expect(store.getState().setups['a']).toMatchObject({ mode: 'sync', periodText: '' });
    expect(store.getState().setups['b']).toMatchObject({ mode: 'async', budgetBytes: 5 });
    expect(store.getState().startErrors).toEqual({});
    started('a', 'r1', { kind: 'random', seed: 1 });
    expect(store.getState().inputs['r1']).toEqual({ kind: 'random', seed: 1 });
  });
});

describe('layout', () => {
  function memory(initial: string | null): KeyValueStorage & { text: string | null } {
    return {
      text: initial,
      getItem() {
        return this.text;
      },
      setItem(_key, value) {
        this.text = value;
      },
    };
  }

  it('comes back as it was left', () => {
    const storage = memory(null);
    const first = createLayoutStore(storage, 'run').getState();
    first.actions.setTheme('dark');
    first.actions.setPanel('models');
    first.actions.setModel('m');
    first.actions.setSize('inspector', 400);
    expect(createLayoutStore(storage, 'run').getState()).toMatchObject({
      theme: 'dark',
      panel: 'models',
      model: 'm',
      sizes: { inspector: 400 },
    });
  });

  it.each(['{', '[]', 'null', '{"theme":"pink","panel":5,"sizes":{"a":"wide"}}'])(
    'takes defaults for %j',
    (text) => {
      expect(parseLayout(text, 'run')).toEqual({ theme: 'system', panel: 'run', sizes: {} });
    },
  );
});

describe('telemetry', () => {
  it('keeps the last samples in order and publishes figures twice a second at most', () => {
    let nowMs = 0;
    const hub = createTelemetryHub(() => nowMs, 4);
    let published = 0;
    hub.latest.subscribe(() => {
      published += 1;
    });
    for (let i = 0; i < 10; i++) {
      hub.push(fakeBatch(i * 100, i));
      nowMs += 100;
    }
    const times = new Float64Array(4);
    const values = new Float32Array(4);
    expect(hub.copyHistory('cpuPct', times, values)).toBe(4);
    expect([...times]).toEqual([600, 700, 800, 900]);
    expect(published).toBe(2);
    expect(hub.latest.getState().latest?.values.gpuPct).toBeNaN();
  });

  it('gives only as many as there are', () => {
    const hub = createTelemetryHub(() => 0, 8);
    hub.push(fakeBatch(1, 0));
    expect(hub.copyHistory('cpuPct', new Float64Array(8), new Float32Array(8))).toBe(1);
  });
});

it('sums the budget over its holders; activations are not parameter memory', () => {
  const holder = { model: 'm', ringBytes: 1, residentBytes: 20, constantBytes: 300, activationBytes: 4000 };
  expect(sumBudget({ limitBytes: 0, holders: [holder, holder] })).toEqual({
    ringBytes: 2,
    residentBytes: 40,
    constantBytes: 600,
    activationBytes: 8000,
    parameterBytes: 642,
  });
});
