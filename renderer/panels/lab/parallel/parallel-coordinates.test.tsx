import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { afterEach, expect, it } from 'vitest';

import { ParallelCoordinates } from './parallel-coordinates';
import type { ParallelAxis, ParallelBrush, ParallelLine } from './parallel-types';

afterEach(cleanup);

const AXES: readonly ParallelAxis[] = [
  { id: 'n', label: 'layers', kind: 'number', scale: 'linear', min: 1, max: 6, isInteger: true },
  { id: 'opt', label: 'optimiser', kind: 'category', values: ['adam', 'sgd'] },
];
const LINES: readonly ParallelLine[] = Array.from({ length: 6 }, (_, index) => ({
  id: String(index),
  label: `run ${index}`,
  values: [index + 1, index % 2 === 0 ? 'adam' : 'sgd'],
}));

function Held(): ReactNode {
  const [brushes, setBrushes] = useState<readonly ParallelBrush[]>([]);
  return (
    <ParallelCoordinates label="Runs" axes={AXES} lines={LINES} brushes={brushes} onBrush={setBrushes} />
  );
}

it('is brushed, counted and cleared by keyboard', () => {
  render(<Held />);
  const count = (): string | null => screen.getByTestId('parallel-count').textContent;
  const from = screen.getByRole('slider', { name: 'layers, from' });
  act(() => void fireEvent.keyDown(from, { key: 'ArrowUp' }));
  expect(from.getAttribute('aria-valuetext')).toBe('2');
  expect(count()).toBe('5 of 6 within the brushes');
  act(() => void fireEvent.click(screen.getByRole('button', { name: 'optimiser sgd' })));
  expect(count()).toBe('3 of 6 within the brushes');
  act(() => void fireEvent.keyDown(from, { key: 'Delete' }));
  act(() => void fireEvent.click(screen.getByRole('button', { name: 'Clear the brush on optimiser' })));
  expect(count()).toContain('Drag along an axis');
});
