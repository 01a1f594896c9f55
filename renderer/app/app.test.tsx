import { act } from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';
import { afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';

import type { UpdateState } from '../../core/contract';
import { SessionContext } from '../session';
import { EXAMPLE_MODEL } from '../test-support/fake-engine';
import { createTestSession } from '../test-support/test-session';
import type { TestSession } from '../test-support/test-session';
import { App } from './app';
import { buttonCommands } from './button-commands';
import { matchCommands } from './match-commands';
import { panelFor } from './drop-target';
import { PANELS } from '../panels';

beforeAll(async () => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
  await Promise.all(PANELS.map(({ view }) => view.load()));
});

let root: Root | undefined;
// What stays mounted hears the keys of the next test.
afterEach(() => act(() => root?.unmount()));

async function show(bench: TestSession): Promise<HTMLElement> {
  const element = document.createElement('div');
  document.body.replaceChildren(element);
  root = createRoot(element);
  await act(async () => {
    root?.render(
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
    const element = await show(bench);
    expect(byTestId(element, 'engine-status')?.dataset['state']).toBe('starting');
    expect(byTestId(element, 'status-strip')?.textContent).toContain('CPU –');
    await act(async () => {
      bench.setStatus({ state: 'ok' });
      bench.session.layout.getState().actions.setPanel('models');
      await vi.waitFor(() => expect(bench.session.models.getState().models).toHaveLength(1));
    });
    expect(byTestId(element, 'engine-status')?.dataset['state']).toBe('ok');
    expect(byTestId(element, 'model-row')?.dataset).toMatchObject({ model: 'text-reader', state: 'ready' });
  });

  it('says in the window that the engine is down, and why', async () => {
    const bench = createTestSession({});
    const element = await show(bench);
    await act(async () => bench.setStatus({ state: 'down', reason: 'the engine process ended with code 9' }));
    expect(element.querySelector('[role="alert"]')?.textContent).toContain(
      'The engine process ended with code 9',
    );
  });

  it('switches panels by number keys, but not while typing', async () => {
    const bench = createTestSession({});
    const element = await show(bench);
    const third = PANELS[2];
    await act(async () => {
      window.dispatchEvent(new KeyboardEvent('keydown', { key: '3' }));
    });
    expect(byTestId(element, `panel-${third?.id}`)).not.toBeNull();
    const input = document.createElement('input');
    element.append(input);
    await act(async () => {
      input.dispatchEvent(new KeyboardEvent('keydown', { key: '1', bubbles: true }));
    });
    expect(byTestId(element, `panel-${third?.id}`)).not.toBeNull();
  });

  it('gives keys to what was just opened or closed, without a frame in which they are lost', async () => {
    // As in a browser before its next frame.
    vi.stubGlobal('requestAnimationFrame', () => 1);
    Element.prototype.getAnimations = () => [];
    onTestFinished(() => {
      vi.unstubAllGlobals();
      Reflect.deleteProperty(Element.prototype, 'getAnimations');
    });
    const element = await show(createTestSession({}));
    const rail = element.querySelector<HTMLElement>('nav button');
    const press = async (init: KeyboardEventInit): Promise<void> => {
      await act(async () => {
        const target = document.activeElement ?? document.body;
        target.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init }));
      });
    };
    rail?.focus();
    await press({ key: 'k', ctrlKey: true });
    expect(document.activeElement?.getAttribute('role')).toBe('combobox');
    await press({ key: 'Escape' });
    expect(document.activeElement).toBe(rail);
    await press({ key: '?', shiftKey: true });
    expect(document.querySelector('[data-testid="shortcuts"]')).not.toBeNull();
    expect(document.querySelector('[role="combobox"]')).toBeNull();
  });

  it('teaches in an empty Run panel', async () => {
    const bench = createTestSession({});
    const element = await show(bench);
    await act(async () => {
      bench.setStatus({ state: 'ok' });
      await vi.waitFor(() => expect(bench.session.models.getState().models).toEqual([]));
    });
    const button = [...element.querySelectorAll('button')].find(({ textContent }) =>
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

it('offers what the buttons of the panel in view do, except disabled ones and those of rows', () => {
  const root = document.createElement('div');
  root.innerHTML = `<section data-testid="panel-x">
    <button title="Keeps all">Fit</button><button disabled>Reload</button><button aria-label="Zoom in">+</button>
    <button>−</button><table><tr><td><button>Verify</button></td></tr></table></section><button>Log out</button>`;
  const pressed = vi.fn();
  root.querySelector('button')?.addEventListener('click', pressed);
  const commands = buttonCommands(root);
  expect(commands.map(({ title }) => title)).toEqual(['Fit', 'Zoom in']);
  commands[0]?.run();
  expect(pressed).toHaveBeenCalledOnce();
});

it('gives a dropped file to the panel it is for, the one in view first', () => {
  expect(panelFor(PANELS, 'device', 'a.ONNX')?.id).toBe('models');
  expect(panelFor(PANELS, 'models', 'photo.jpg')?.id).toBe('run');
  expect(panelFor(PANELS, 'run', 'notes.txt')).toBeUndefined();
});

describe('what the shell of the desktop tells', () => {
  it('imports the models that were opened with Sluice, once there is an engine, and says what it can not', async () => {
    let tell: () => void = () => undefined;
    let waiting = { paths: ['/models/net.onnx'], refused: [] as string[] };
    const take = vi.fn(async () => {
      const taken = waiting;
      waiting = { paths: [], refused: [] };
      return taken;
    });
    const bench = createTestSession({
      kind: 'electron',
      host: { opened: { take, onOpened: (listener) => ((tell = listener), () => undefined) } },
    });
    bench.setStatus({ state: 'starting' });
    const element = await show(bench);
    expect(take).not.toHaveBeenCalled();
    await act(async () => bench.setStatus({ state: 'ok' }));
    expect(take).toHaveBeenCalledOnce();
    expect(bench.session.layout.getState().panel).toBe('models');
    waiting = { paths: [], refused: ['There is no file /gone.gguf.'] };
    await act(async () => tell());
    const alerts = [...element.querySelectorAll('[role=alert]')].map((alert) => alert.textContent);
    expect(alerts).toContain('There is no file /gone.gguf.');
  });

  it('shows where an update stands from the first word of it on', async () => {
    let tell: (state: UpdateState) => void = () => undefined;
    const step = vi.fn(async (): Promise<UpdateState> => ({ state: 'idle' }));
    const updates = { check: step, download: step, install: step };
    const bench = createTestSession({
      kind: 'electron',
      host: { updates: { ...updates, onState: (listener) => ((tell = listener), () => undefined) } },
    });
    const element = await show(bench);
    const notice = (): Element | null => element.querySelector('[data-testid=update-notice]');
    expect(notice()).toBeNull();
    const states: readonly (readonly [UpdateState, RegExp])[] = [
      [{ state: 'off', reason: 'Updates are off.' }, /Updates are off/],
      [{ state: 'checking' }, /Looking/],
      [{ state: 'current', version: '1.0.0' }, /1\.0\.0 is the newest/],
      [{ state: 'available', version: '2.0.0' }, /2\.0\.0 is available.*Download/],
      [{ state: 'downloading', version: '2.0.0', percent: 12 }, /12%/],
      [{ state: 'ready', version: '2.0.0' }, /Restart and install/],
      [{ state: 'failed', message: 'The check failed: no answer' }, /no answer.*Try again/],
    ];
    for (const [state, text] of states) {
      await act(async () => tell(state));
      expect(notice()?.textContent).toMatch(text);
    }
    await act(async () => [...(notice()?.querySelectorAll('button') ?? [])].at(-1)?.click());
    expect(notice()).toBeNull();
  });
});
