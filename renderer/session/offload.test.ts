import { describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../core/contract';
import { fakeDecision, fakeDeployment, fakeEndpoint } from '../test-support/fake-offload';
import { createTestSession } from '../test-support/test-session';

describe('the deployment in a session', () => {
  it('is asked of a fresh engine, then follows its events', async () => {
    const { session, setStatus, engine } = createTestSession({});
    engine.script({
      'endpoints.list': () => [fakeEndpoint({ name: 'edge-7' })],
      'offload.decisions': ({ limit }) => [fakeDecision({ id: limit })],
    });
    setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(session.offload.getState().decisions).toHaveLength(1));
    expect(session.endpoints.getState().endpoints).toHaveLength(1);
    engine.emit('endpoints', []);
    engine.emit('offload', fakeDeployment({ state: 'running', rounds: 7 }));
    engine.emit('decisions', [fakeDecision({ id: 501 })]);
    expect(session.endpoints.getState().endpoints).toEqual([]);
    expect(session.offload.getState().deployment).toMatchObject({ state: 'running', rounds: 7 });
    expect(session.offload.getState().decisions.map(({ id }) => id)).toEqual([501, 500]);
  });

  it('says why it can’t be told', async () => {
    const silenced = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const { session, setStatus, engine } = createTestSession({});
    const refuse = (): never => {
      throw new SluiceError('io', 'the log can’t be read');
    };
    engine.script({ 'offload.state': refuse, 'endpoints.list': refuse });
    setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(session.offload.getState().loadError?.code).toBe('io'));
    await vi.waitFor(() => expect(session.endpoints.getState().loadError?.code).toBe('io'));
    silenced.mockRestore();
  });

  it('knows whether this shell has a keychain, and why not', async () => {
    const state = vi.fn(() => Promise.resolve({ available: true }));
    const keychain = { state, keep: () => Promise.resolve(), forget: () => Promise.resolve() };
    const { session } = createTestSession({ host: { keychain } });
    await vi.waitFor(() => expect(session.endpoints.getState().keychain).toEqual({ available: true }));
    state.mockRejectedValue(new SluiceError('internal', 'the shell did not answer'));
    const other = createTestSession({ host: { keychain } }).session;
    await vi.waitFor(() =>
      expect(other.endpoints.getState().keychain).toEqual({
        available: false,
        reason: 'the shell did not answer',
      }),
    );
  });
});
