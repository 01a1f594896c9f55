import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import type { OffloadState } from '../../../core/contract';
import { SessionContext } from '../../session';
import {
  fakeBeliefs,
  fakeDecision,
  fakeDeployment,
  fakeEndpoint,
  fakeUser,
} from '../../test-support/fake-offload';
import { createTestSession } from '../../test-support/test-session';
import type { TestSession } from '../../test-support/test-session';
import { DecisionsView } from './decisions-view';

// Charts need a 2D canvas; the browser draws them.
vi.mock('../../ui/plot', () => ({ Plot: () => null }));
afterEach(cleanup);

const EXPLORED = fakeDecision({
  id: 7,
  reason: 'explored',
  users: [
    fakeUser(),
    fakeUser({
      tier: 'cloud',
      answeredBy: 'edge',
      failures: [{ tier: 'cloud', endpoint: 'cloud-eu', reason: 'failed', error: 'reset', lostMs: 30 }],
    }),
    fakeUser({ tier: 'device', variant: 'd7', pinned: true }),
  ],
});

async function show(deployment: OffloadState, decisions = [EXPLORED]): Promise<TestSession> {
  const bench = createTestSession({});
  bench.engine.script({
    'offload.state': () => deployment,
    'offload.decisions': () => decisions,
    'offload.beliefs': () => fakeBeliefs(deployment),
    'offload.configure': (part) => ({ ...deployment, settings: { ...deployment.settings, ...part } }),
    'offload.pin': (pin) => ({ ...deployment, pins: [pin] }),
    'endpoints.list': () => [fakeEndpoint({ name: 'edge-7' })],
  });
  await act(async () => {
    render(
      <SessionContext value={bench.session}>
        <DecisionsView />
      </SessionContext>,
    );
    bench.setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(bench.session.offload.getState().deployment).toBeDefined());
  });
  // The beliefs are asked for once the panel knows of a deployment.
  await act(async () => {
    await Promise.resolve();
  });
  return bench;
}

function cell(user: number, tier: string, variant: string): HTMLElement {
  const found = screen
    .getAllByTestId('choice-cell')
    .find(
      ({ dataset }) =>
        Number(dataset['user']) === user && dataset['tier'] === tier && dataset['variant'] === variant,
    );
  if (found === undefined) throw new Error(`no cell ${user} ${tier} ${variant}`);
  return found;
}

const RUNNING = fakeDeployment({
  state: 'running',
  learnedSteps: 420,
  pins: [{ user: 2, tier: 'device', variant: 'd7' }],
});

describe('the Decisions panel', () => {
  it('teaches and offers the example while there is no variant', async () => {
    await show(fakeDeployment({ variants: [] }), []);
    expect(screen.getByRole('button', { name: 'Install the MobileNetV1 example' })).toBeDefined();
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Start' }).disabled).toBe(true);
  });

  it('shows what is chosen, pinned and barred, and pins by a click or a key', async () => {
    const bench = await show(RUNNING);
    expect(cell(0, 'edge', 'd2').dataset['state']).toBe('chosen');
    expect(cell(2, 'device', 'd7').dataset['state']).toBe('pinned');
    expect(cell(0, 'device', 'd4').dataset['state']).toBe('barred');
    expect(cell(0, 'device', 'd1').dataset['state']).toBe('free');
    await act(async () => fireEvent.click(cell(0, 'device', 'd1')));
    expect(bench.engine.received.at(-1)?.input).toEqual({ user: 0, tier: 'device', variant: 'd1' });
    act(() => cell(0, 'device', 'd8').focus());
    act(() => void fireEvent.keyDown(cell(0, 'device', 'd8'), { key: 'ArrowRight' }));
    expect(document.activeElement).toBe(cell(0, 'edge', 'd1'));
    act(() => void fireEvent.keyDown(cell(0, 'edge', 'd1'), { key: 'ArrowDown' }));
    expect(document.activeElement).toBe(cell(1, 'edge', 'd1'));
    await act(async () => fireEvent.keyDown(cell(1, 'edge', 'd1'), { key: 'Enter' }));
    expect(bench.engine.received.some(({ input }) => 'user' in input && input.user === 1)).toBe(true);
  });

  it('sends a setting when it is one and changed, and says what is expected otherwise', async () => {
    const bench = await show(RUNNING);
    const users = screen.getByLabelText('Users');
    act(() => void fireEvent.change(users, { target: { value: '2.5' } }));
    expect(screen.getByText('A whole number from 1 on.')).toBeDefined();
    act(() => void fireEvent.keyDown(users, { key: 'Enter' }));
    const sent = () => bench.engine.received.filter(({ request }) => request === 'offload.configure');
    expect(sent()).toHaveLength(0);
    act(() => void fireEvent.change(screen.getByLabelText('Exploration cap, %'), { target: { value: '7' } }));
    await act(async () => fireEvent.blur(screen.getByLabelText('Exploration cap, %')));
    expect(sent().at(-1)?.input).toEqual({ explorationCap: 0.07 });
  });

  it('explains a decision: why, what was chosen, what failed, what else there was', async () => {
    const bench = await show(RUNNING);
    act(() => bench.session.offload.getState().actions.select(7));
    const inspector = within(screen.getByTestId('decision-inspector'));
    expect(inspector.getByText('The agent tried something to learn from it.')).toBeDefined();
    expect(inspector.getByText(/cloud-eu failed/).textContent).toContain('30.0\u2009ms lost: reset');
    expect(inspector.getByText('As the agent believes now', { exact: false })).toBeDefined();
    act(() => void fireEvent.click(inspector.getByRole('button', { name: 'Show in Timeline' })));
    expect(bench.session.layout.getState().panel).toBe('timeline');
  });

  it('says why a deployment failed, and how to begin again', async () => {
    const error = { code: 'not-found', message: 'No model "d7". Import it again.', details: {} } as const;
    await show(fakeDeployment({ state: 'failed', error }));
    expect(screen.getByRole('alert').textContent).toContain('Import it again');
    expect(screen.getByRole('button', { name: 'Start again' })).toBeDefined();
  });

  it('keeps everything readable but asks for nothing while the engine is away', async () => {
    const bench = await show(RUNNING);
    await act(async () => bench.setStatus({ state: 'down', reason: 'it crashed' }));
    const before = bench.engine.received.length;
    await act(async () => fireEvent.click(cell(0, 'device', 'd1')));
    expect(bench.engine.received).toHaveLength(before);
    for (const name of ['Stop', 'Pause learning', 'Reset'])
      expect(screen.getByRole<HTMLButtonElement>('button', { name }).disabled).toBe(true);
    expect(screen.getByTestId('deployment-state').textContent).toBe('running');
  });
});
