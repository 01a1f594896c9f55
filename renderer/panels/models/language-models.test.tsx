import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../core/contract';
import { SessionContext } from '../../session';
import { FAKE_LANGUAGE_MODEL, fakeConversation } from '../../test-support/fake-language';
import { createTestSession } from '../../test-support/test-session';
import type { TestSession } from '../../test-support/test-session';
import { ModelsView } from './models-view';

afterEach(cleanup);

let bench: TestSession;
const asked = (name: string) => bench.engine.received.filter(({ request }) => request === name);
const click = (name: string): Promise<void> =>
  act(async () => void fireEvent.click(screen.getByRole('button', { name })));

beforeEach(async () => {
  bench = createTestSession({});
  bench.engine.script({ 'language.models': () => [FAKE_LANGUAGE_MODEL] });
  await act(async () => {
    render(
      <SessionContext value={bench.session}>
        <ModelsView />
      </SessionContext>,
    );
    bench.setStatus({ state: 'ok' });
    await vi.waitFor(() => expect(bench.session.language.getState().models).toBeDefined());
  });
});

describe('language models in the Models panel', () => {
  it('stand apart from networks, with what they take', () => {
    const row = screen.getByTestId('language-model-row');
    expect(row.dataset).toMatchObject({ model: FAKE_LANGUAGE_MODEL.name, state: 'ready' });
    expect(row.textContent).toContain('135\u2009M');
    expect(row.textContent).toContain('45.0\u2009KiB');
    expect(screen.queryByTestId('model-row')).toBeNull();
  });

  it('are verified', async () => {
    const { name } = FAKE_LANGUAGE_MODEL;
    bench.engine.script({
      'language.verify': () => ({ name, ok: true, layersChecked: 30, bytesChecked: 2 ** 20, faults: [] }),
    });
    await click('Verify');
    expect(screen.getByText(/All checksums match: 30 layers/)).toBeDefined();
    bench.engine.script({
      'language.verify': () => ({
        name,
        ok: false,
        layersChecked: 30,
        bytesChecked: 2 ** 20,
        faults: [{ layer: 'blk.3', problem: 'checksum' }],
      }),
    });
    await click('Verify');
    expect(screen.getByRole('alert').textContent).toContain('blk.3: checksum');
  });

  it('are asked about before they go, by name and size', async () => {
    bench.engine.script({ 'language.remove': () => ({}) });
    await click('Remove');
    expect(screen.getByText(/Its stored weights go \(92\.0/)).toBeDefined();
    await click('Keep it');
    expect(asked('language.remove')).toHaveLength(0);
    await click('Remove');
    await click('Remove the model');
    expect(asked('language.remove')[0]?.input).toEqual({ name: FAKE_LANGUAGE_MODEL.name });
    bench.engine.script({
      'language.remove': () => {
        throw new SluiceError('conflict', 'It is replying; stop it first.');
      },
    });
    await click('Remove');
    await click('Remove the model');
    expect(screen.getByRole('alert').textContent).toContain('stop it first');
  });

  it('lead to a conversation', async () => {
    bench.engine.script({ 'language.create': ({ model }) => fakeConversation({ id: 'n', model }) });
    await click('Begin a conversation');
    expect(bench.session.layout.getState().panel).toBe('language');
    expect(bench.session.language.getState().chosen).toBe('n');
  });
});
