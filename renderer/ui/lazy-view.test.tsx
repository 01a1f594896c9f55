import { act, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { LazyBody } from './lazy-body';
import { lazyView, loadWhenIdle } from './lazy-view';
import type { LazyView } from './lazy-view';

beforeAll(() => {
  (globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
});

const Body = (): string => 'the view';

async function show(view: LazyView): Promise<HTMLElement> {
  const element = document.createElement('div');
  document.body.replaceChildren(element);
  await act(async () =>
    createRoot(element).render(
      <StrictMode>
        <LazyBody view={view} />
      </StrictMode>,
    ),
  );
  return element;
}

describe('a view that is fetched', () => {
  it('says that it comes, then is there; it is fetched once', async () => {
    let arrive = (): void => undefined;
    const fetch = vi.fn(() => new Promise<typeof Body>((resolve) => (arrive = () => resolve(Body))));
    const view = lazyView(fetch);
    const element = await show(view);
    expect(element.querySelector('[role=status]')?.textContent).toBe('Loading');
    await act(async () => arrive());
    expect(element.textContent).toBe('the view');
    await view.load();
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('is drawn at once when it was fetched before', async () => {
    const view = lazyView(() => Promise.resolve(Body));
    await view.load();
    const element = document.createElement('div');
    act(() => createRoot(element).render(<LazyBody view={view} />));
    expect(element.textContent).toBe('the view');
  });

  it('says why it is not there, and can be tried again', async () => {
    const fetch = vi.fn(() => Promise.resolve(Body));
    fetch.mockRejectedValueOnce(new Error('no such file'));
    const view = lazyView(fetch);
    const element = await show(view);
    expect(element.querySelector('[role=alert]')?.textContent).toMatch(/could not be loaded.*no such file/);
    expect(element.querySelector('button')?.textContent).toBe('Load the console again');
    expect((await show(view)).textContent).toBe('the view');
  });
});

it('fetches views one after the other, past one that fails', async () => {
  const order: string[] = [];
  const named = (name: string, fails = false): LazyView =>
    lazyView(() => {
      order.push(name);
      return fails ? Promise.reject(new Error(name)) : Promise.resolve(Body);
    });
  const views = [named('a'), named('b', true), named('c')];
  await views[0]?.load();
  loadWhenIdle(views);
  await vi.waitFor(() => expect(views[2]?.loaded()).toBe(Body));
  expect(order).toEqual(['a', 'b', 'c']);
});
