import { describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../core/contract';
import type { LabRunChanges } from '../../core/contract';
import { FAKE_LAB_STATUS, fakeRuns } from '../test-support/fake-lab';
import { createTestSession } from '../test-support/test-session';
import { startLab, watchLab } from './lab';

const asked = (bench: ReturnType<typeof createTestSession>) =>
  bench.engine.received.filter(({ request }) => request === 'lab.runs').map(({ input }) => input);

/** A bench whose `lab.runs` waits until each call is answered by hand. */
function handBench() {
  const bench = createTestSession({});
  const open: ((changes: LabRunChanges) => void)[] = [];
  bench.engine.script({ 'lab.runs': () => new Promise((resolve) => open.push(resolve)) });
  const answer = async (changes: Partial<LabRunChanges> = {}): Promise<void> => {
    await vi.waitFor(() => expect(open.length).toBeGreaterThan(0));
    open.shift()?.({ revision: 'r', isWhole: false, runs: [], removed: [], ...changes });
    await Promise.resolve();
  };
  return { bench, open, answer };
}

describe('the lab’s runs', () => {
  it('are not asked for before someone looks: that would start the lab', async () => {
    const bench = createTestSession({});
    bench.setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(bench.session.lab.getState().status).toEqual(FAKE_LAB_STATUS));
    bench.engine.emit('labChange', { parts: ['runs', 'queue'] });
    expect(asked(bench)).toEqual([]);
    expect(bench.session.lab.getState().ticks).toMatchObject({ runs: 1, queue: 1, models: 0 });
    watchLab(bench.session);
    await vi.waitFor(() => expect(bench.session.lab.getState().rows).toEqual([]));
    expect(asked(bench)).toEqual([{}]);
  });

  it('are asked for one request at a time, from the revision that is known', async () => {
    const { bench, open, answer } = handBench();
    bench.setStatus({ state: 'ok' });
    watchLab(bench.session);
    await answer({ revision: '7', isWhole: true, runs: fakeRuns(3) });
    await vi.waitFor(() => expect(bench.session.lab.getState().rows).toHaveLength(3));
    bench.engine.emit('labChange', { parts: ['runs'] });
    await vi.waitFor(() => expect(open).toHaveLength(1));
    for (let count = 0; count < 5; count++) bench.engine.emit('labChange', { parts: ['runs'] });
    expect(open).toHaveLength(1);
    await answer({ revision: '8' });
    await answer({ revision: '9' });
    await vi.waitFor(() => expect(bench.session.lab.getState().revision).toBe('9'));
    expect(asked(bench)).toEqual([{}, { since: '7' }, { since: '8' }]);
  });

  it('are asked for anew once the lab is there again', async () => {
    const bench = createTestSession({});
    bench.setStatus({ state: 'ok' });
    watchLab(bench.session);
    await vi.waitFor(() => expect(bench.session.lab.getState().revision).toBe('1'));
    bench.engine.emit('lab', { ...FAKE_LAB_STATUS, state: 'failed' });
    bench.engine.emit('lab', FAKE_LAB_STATUS);
    await vi.waitFor(() => expect(asked(bench)).toEqual([{}, {}]));
  });

  it('that did not come say why, and come when the lab is started again', async () => {
    const bench = createTestSession({});
    bench.engine.script({
      'lab.start': () => FAKE_LAB_STATUS,
      'lab.runs': () => {
        throw new SluiceError('io', 'The folder can’t be written.');
      },
    });
    bench.setStatus({ state: 'ok' });
    watchLab(bench.session);
    await vi.waitFor(() => expect(bench.session.lab.getState().loadError?.code).toBe('io'));
    bench.engine.script({ 'lab.runs': () => ({ revision: '1', isWhole: true, runs: [], removed: [] }) });
    await startLab(bench.session);
    expect(bench.session.lab.getState()).toMatchObject({ rows: [], loadError: undefined });
  });
});
