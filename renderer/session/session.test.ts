import { describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../core/contract';
import type { EngineStatus } from '../../core/contract';
import { EXAMPLE_MODEL, fakeRun } from '../test-support/fake-engine';
import { createTestSession } from '../test-support/test-session';

const RESTARTING: EngineStatus = { state: 'restarting', reason: 'it fell over', restarts: 1 };

describe('session', () => {
  it('asks a fresh engine for everything', async () => {
    const { session, setStatus } = createTestSession({ models: [EXAMPLE_MODEL] });
    expect(session.models.getState().models).toBeUndefined();
    setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(session.models.getState().models).toEqual([EXAMPLE_MODEL]));
    await vi.waitFor(() => expect(session.budget.getState().budget?.limitBytes).toBe(512 * 2 ** 20));
    expect(session.engine.getState()).toMatchObject({
      status: { state: 'ok' },
      info: { pid: 42 },
      device: { hostname: 'edge-07' },
    });
  });

  it('keeps the rest when one request fails', async () => {
    const silenced = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const { session, setStatus, engine } = createTestSession({});
    engine.script({
      'models.list': () => {
        throw new SluiceError('io', 'can’t read the library');
      },
      'device.info': () => {
        throw new SluiceError('internal', 'no such file');
      },
    });
    setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(session.models.getState().loadError?.code).toBe('io'));
    await vi.waitFor(() => expect(session.engine.getState().info?.pid).toBe(42));
    silenced.mockRestore();
  });

  it('marks running work as failed when Electron’s engine dies, and keeps its figures', () => {
    const { session, setStatus, engine } = createTestSession({ kind: 'electron' });
    setStatus({ state: 'ok' });
    engine.emit('run', fakeRun({ id: 'r' }));
    setStatus(RESTARTING);
    expect(session.runs.getState().runs[0]).toMatchObject({
      state: 'failed',
      error: { code: 'engine-down', message: expect.stringContaining('it fell over') as string },
    });
  });

  it('leaves work alone when a browser only lost its connection', () => {
    const { session, setStatus, engine } = createTestSession({ kind: 'browser' });
    setStatus({ state: 'ok' });
    engine.emit('run', fakeRun({ id: 'r' }));
    setStatus(RESTARTING);
    expect(session.runs.getState().runs[0]?.state).toBe('running');
  });
});
