import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { SessionContext } from '../../session';
import { fakeEndpoint } from '../../test-support/fake-offload';
import { createTestSession } from '../../test-support/test-session';
import type { TestSession, TestSessionOptions } from '../../test-support/test-session';
import { EndpointsView } from './endpoints-view';

afterEach(cleanup);

const EDGE = fakeEndpoint({ name: 'edge-7' });
const DEAD = fakeEndpoint({
  name: 'cloud-eu',
  tier: 'cloud',
  token: 'missing',
  inUse: false,
  health: { state: 'unreachable', link: 'weak', breaker: 'open', offers: ['d1'] },
});

async function show(
  endpoints: readonly (typeof EDGE)[],
  options: TestSessionOptions = {},
): Promise<TestSession> {
  const bench = createTestSession(options);
  bench.engine.script({ 'endpoints.list': () => endpoints });
  await act(async () => {
    render(
      <SessionContext value={bench.session}>
        <EndpointsView />
      </SessionContext>,
    );
    bench.setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(bench.session.endpoints.getState().endpoints).toBeDefined());
  });
  return bench;
}

const field = (name: string): HTMLInputElement => screen.getByLabelText(name);
const type = (name: string, value: string): void =>
  act(() => void fireEvent.change(field(name), { target: { value } }));

describe('the Endpoints panel', () => {
  it('teaches what an endpoint is while there is none', async () => {
    await show([]);
    expect(screen.getByText(/sluice serve --tier edge/)).toBeDefined();
    expect(screen.getByRole('button', { name: 'Add an endpoint' })).toBeDefined();
  });

  it('shows each endpoint with its health, in figures with units', async () => {
    await show([DEAD, EDGE]);
    const [edge, dead] = screen.getAllByTestId('endpoint-row');
    expect(edge?.dataset).toMatchObject({ name: 'edge-7', state: 'ready', concern: 'none' });
    expect(edge?.textContent).toContain('38\u2009MB/s, regular');
    expect(edge?.textContent).toContain('3/16');
    expect(dead?.dataset).toMatchObject({ name: 'cloud-eu', state: 'unreachable', concern: 'failure' });
    expect(dead?.textContent).toContain('missing');
    expect(screen.getByRole('columnheader', { name: 'Round trip, ms' })).toBeDefined();
  });

  it('adds one by its form, and clears the token at once', async () => {
    const bench = await show([]);
    bench.engine.script({ 'endpoints.add': () => EDGE });
    type('Name', 'edge-7');
    type('URL', 'http://edge-7:8000');
    type('Token', 'hunter2');
    expect(field('Token').type).toBe('password');
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Add' })));
    expect(field('Token').value).toBe('');
    const request = bench.engine.received.find((message) => message.request === 'endpoints.add');
    expect(request?.input).toEqual({
      name: 'edge-7',
      tier: 'edge',
      url: 'http://edge-7:8000',
      token: 'hunter2',
    });
    expect(document.body.innerHTML).not.toContain('hunter2');
    expect(screen.getByTestId('endpoint-inspector')).toBeDefined();
  });

  it('refuses an address that can’t be one before it is sent', async () => {
    await show([]);
    type('Name', 'edge-7');
    type('URL', 'edge-7');
    expect(screen.getByText(/An http:\/\/ or https:\/\/ address/)).toBeDefined();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Add' }).disabled).toBe(true);
  });

  it('says plainly how long tokens last', async () => {
    await show([], { kind: 'browser' });
    expect(screen.getByTestId('keychain-note').textContent).toContain('a browser has no keychain');
    cleanup();
    await show([]);
    expect(screen.getByTestId('keychain-note').textContent).toContain('kept until Sluice quits');
  });

  it('opens, tests and removes by keyboard, and offers the way back', async () => {
    const bench = await show([EDGE]);
    bench.engine.script({
      'endpoints.remove': () => ({}),
      'endpoints.test': () => ({
        ok: false,
        steps: [
          { step: 'connect', ok: true, ms: 1.25, text: '10.0.0.7:8000' },
          { step: 'ready', ok: false, ms: 3, text: '503' },
        ],
      }),
    });
    act(() => void fireEvent.keyDown(screen.getByTestId('endpoint-row'), { key: 'Enter' }));
    const inspector = within(screen.getByTestId('endpoint-inspector'));
    await act(async () => fireEvent.click(inspector.getByRole('button', { name: 'Test' })));
    expect(inspector.getByTestId('endpoint-test').textContent).toContain('1.25\u2009ms');
    expect(inspector.getByText('It failed at: ready')).toBeDefined();
    await act(async () => fireEvent.click(inspector.getByRole('button', { name: 'Remove' })));
    expect(screen.getByTestId('removed-endpoint').textContent).toContain('edge-7');
    expect(screen.queryByTestId('endpoint-row')).toBeNull();
    expect(screen.getByRole('button', { name: 'Undo' })).toBeDefined();
  });

  it('leaves the list readable but no button while the engine is away', async () => {
    const bench = await show([EDGE]);
    await act(async () => {
      bench.session.endpoints.getState().actions.select(EDGE.id);
      bench.setStatus({ state: 'down', reason: 'it crashed' });
    });
    expect(screen.getByTestId('endpoint-row')).toBeDefined();
    for (const name of ['Test', 'Remove', 'Set token'])
      expect(screen.getByRole<HTMLButtonElement>('button', { name }).disabled).toBe(true);
  });
});
