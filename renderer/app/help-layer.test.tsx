import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest';

import { Help } from '../ui';
import { HelpLayer } from './help-layer';
import type { ShownHelp } from './help-layer';

function Page({ onSort }: { readonly onSort: () => void }): ReactNode {
  const [shown, setShown] = useState<ShownHelp>();
  return (
    <>
      <main>
        <Help id="strip.cpu">CPU</Help>
        <button type="button" data-help="lab.duration" onClick={onSort}>
          Duration
        </button>
      </main>
      <HelpLayer shown={shown} onShow={setShown} />
    </>
  );
}

afterEach(cleanup);

beforeEach(() => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});

const help = (): HTMLElement => screen.getByTestId('help');

function rest(element: HTMLElement): void {
  fireEvent.pointerOver(element);
  act(() => void vi.advanceTimersByTime(1000));
}

it('says of a label that a click tells more, and of a head, where a click sorts, that F1 does', () => {
  const sorted = vi.fn();
  render(<Page onSort={sorted} />);
  rest(screen.getByText('CPU'));
  expect(help().textContent).toContain('a click');
  rest(screen.getByRole('button', { name: 'Duration' }));
  expect(help().textContent).toContain('F1: more');
  expect(help().textContent).not.toContain('click');
  fireEvent.click(screen.getByRole('button', { name: 'Duration' }));
  expect(sorted).toHaveBeenCalledOnce();
  expect(help().getAttribute('role')).toBe('tooltip');
});

it('F1 tells more of what is pointed at, wherever the focus is', () => {
  render(<Page onSort={vi.fn()} />);
  rest(screen.getByRole('button', { name: 'Duration' }));
  fireEvent.keyDown(document.body, { key: 'F1' });
  expect(help().getAttribute('role')).toBe('dialog');
  expect(help().dataset['helpId']).toBe('lab.duration');
});
