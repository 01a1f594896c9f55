import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { SessionContext } from '../session';
import { EXAMPLE_MODEL } from '../test-support/fake-engine';
import { createTestSession } from '../test-support/test-session';
import type { TestSession } from '../test-support/test-session';
import { App } from './app';
import { groupCommands, matchCommands } from './match-commands';
import { panelFor } from './drop-target';
import { PANELS } from '../panels';

beforeAll(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
});

async function show(bench: TestSession): Promise<HTMLElement> {
  const element = document.createElement('div');
  document.body.replaceChildren(element);
  await act(async () => {
    createRoot(element).render(
      <SessionContext value={bench.session}>
        <App />
      </SessionContext>,
    );
    await Promise.resolve();
  });
  return element;
}

const byTestId = (root: HTMLElement, id: string): HTMLElement | null =>
  root.querySelector(`[data-testid="${id}"]`);

describe('the frame', () => {
  it('starts waiting for the engine, then shows the library', async () => {
    const bench = createTestSession({ models: [EXAMPLE_MODEL] });
    const root = await show(bench);
    expect(byTestId(root, 'engine-status')?.dataset['state']).toBe('starting');
    expect(byTestId(root, 'status-strip')?.textContent).toContain('CPU –');
    await act(async () => {
      bench.setStatus({ state: 'ok' });
      bench.session.layout.getState().actions.setPanel('models');
      await vi.waitFor(() => expect(bench.session.models.getState().models).toHaveLength(1));
    });
    expect(byTestId(root, 'engine-status')?.dataset['state']).toBe('ok');
    expect(byTestId(root, 'model-row')?.dataset).toMatchObject({ model: 'text-reader', state: 'ready' });
  });

  it('says in the window that the engine is down, and why', async () => {
    const bench = createTestSession({});
    const root = await show(bench);
    await act(async () => bench.setStatus({ state: 'down', reason: 'the engine process ended with code 9' }));
    expect(root.querySelector('[role="alert"]')?.textContent).toContain(
      'The engine process ended with code 9',
    );
  });

  it('switches panels by number keys, but not while typing', async () => {
    const bench = createTestSession({});
    const root = await show(bench);
    const third = PANELS[2];
    await act(async () => {
      window.dispatchEvent(new KeyboardEvent('keydown', { key: '3' }));
    });
    expect(byTestId(root, `panel-${third?.id}`)).not.toBeNull();
    const input = document.createElement('input');
    root.append(input);
    await act(async () => {
      input.dispatchEvent(new KeyboardEvent('keydown', { key: '1', bubbles: true }));
    });
    expect(byTestId(root, `panel-${third?.id}`)).not.toBeNull();
  });

  it('teaches in an empty Run panel', async () => {
    const bench = createTestSession({});
    const root = await show(bench);
    await act(async () => {
      bench.setStatus({ state: 'ok' });
      await vi.waitFor(() => expect(bench.session.models.getState().models).toEqual([]));
    });
    const button = [...root.querySelectorAll('button')].find(({ textContent }) =>
      textContent.includes('text-reading'),
    );
    expect(button?.disabled).toBe(false);
  });
});

it('finds commands by every word typed', () => {
  const commands = [
    { id: 'a', title: 'Go to Models', run: () => undefined },
    { id: 'b', title: 'Import a model', keywords: 'onnx file', run: () => undefined },
  ];
  expect(matchCommands(commands, 'model').map(({ id }) => id)).toEqual(['a', 'b']);
  expect(matchCommands(commands, 'FILE imp').map(({ id }) => id)).toEqual(['b']);
  expect(matchCommands(commands, 'zebra')).toEqual([]);
});

it('gives a dropped file to the panel it is for, the one in view first', () => {
  expect(panelFor(PANELS, 'device', 'a.ONNX')?.id).toBe('models');
  expect(panelFor(PANELS, 'models', 'photo.jpg')?.id).toBe('run');
  expect(panelFor(PANELS, 'run', 'notes.txt')).toBeUndefined();
});
