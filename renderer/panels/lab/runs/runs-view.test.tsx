import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../../core/contract';
import type { LabRunRow } from '../../../../core/contract';
import { fakeLabRuns, fakeRunRow, fakeRuns } from '../../../test-support/fake-lab';
import { showLab } from '../../../test-support/lab-bench';
import type { LabBench } from '../../../test-support/lab-bench';
import { RunsView } from './runs-view';

// Charts need a 2D canvas; the browser draws them.
vi.mock('../../../ui/plot', () => ({ Plot: () => null }));
afterEach(cleanup);

const RUNS = fakeRuns(60);

async function show(
  rows: readonly LabRunRow[] = RUNS,
  script: Parameters<typeof showLab>[1] = {},
): Promise<LabBench> {
  const bench = await showLab(<RunsView />, { ...fakeLabRuns(rows), ...script });
  act(() =>
    bench.session.lab.getState().actions.applyRuns({ revision: '2', isWhole: true, runs: rows, removed: [] }),
  );
  return bench;
}

const table = (): HTMLElement => screen.getByTestId('run-table');
const shown = (): HTMLElement[] => screen.getAllByTestId('run-row');
const press = (key: string, more: object = {}): void =>
  act(() => void fireEvent.keyDown(table(), { key, ...more }));
const active = (): string | undefined =>
  table().querySelector<HTMLElement>('[data-active=true]')?.dataset['run'];
const chosen = (bench: LabBench): readonly string[] => [...bench.session.lab.getState().chosen];
const filter = (text: string): void =>
  act(() => void fireEvent.change(screen.getByLabelText('Filter'), { target: { value: text } }));

describe('the table of runs', () => {
  it('holds few of 10 000 rows in the document, and says how many there are', async () => {
    await show(fakeRuns(10_000));
    expect(shown().length).toBeLessThan(80);
    expect(table().getAttribute('aria-rowcount')).toBe('10001');
    expect(screen.getByTestId('run-count').textContent).toBe('10\u2009000 runs');
  });

  it('shows metrics that are no numbers as they are', async () => {
    const bench = await show([
      fakeRunRow({ runId: 'a'.repeat(32), metrics: { loss: NaN, bound: -Infinity } }),
    ]);
    act(() => bench.session.lab.getState().actions.setTable({ columns: ['metrics.loss', 'metrics.bound'] }));
    expect(shown()[0]?.textContent).toContain('NaN−∞');
  });

  it('sorts by a head, then the other way round', async () => {
    await show();
    const head = screen.getByRole('button', { name: 'User' });
    act(() => void fireEvent.click(head));
    expect(shown()[0]?.dataset['run']).toMatch(/^ana\//);
    act(() => void fireEvent.click(head));
    expect(shown()[0]?.dataset['run']).toMatch(/^dmitri\//);
    expect(head.closest('[role=columnheader]')?.getAttribute('aria-sort')).toBe('descending');
  });

  it('parts runs into groups that fold by keyboard', async () => {
    const bench = await show();
    act(() => bench.session.lab.getState().actions.setTable({ group: 'user' }));
    expect(table().getAttribute('role')).toBe('treegrid');
    const [first] = screen.getAllByTestId('run-group');
    expect(first?.textContent).toMatch(/\d+ runs/);
    const before = shown().length;
    act(() => table().focus());
    press('ArrowLeft');
    expect(screen.getAllByTestId('run-group')[0]?.getAttribute('aria-expanded')).toBe('false');
    expect(shown().length).toBeLessThan(before);
    press('ArrowRight');
    press('ArrowDown');
    press('ArrowLeft');
    expect(table().querySelector('[data-active=true]')?.getAttribute('data-testid')).toBe('run-group');
  });
});

describe('by keyboard alone', () => {
  it('moves, chooses a range, compares and comes back', async () => {
    const bench = await show();
    act(() => table().focus());
    expect(active()).toBe(RUNS[0]?.name);
    press('ArrowDown');
    press(' ');
    press('ArrowDown', { shiftKey: true });
    press('ArrowDown', { shiftKey: true });
    expect(chosen(bench)).toEqual(RUNS.slice(1, 4).map(({ runId }) => runId));
    press('c');
    await bench.settle();
    const compare = screen.getByTestId('compare');
    expect(within(compare).getAllByRole('checkbox', { name: /Draw/ })).toHaveLength(3);
    act(() => void fireEvent.keyDown(compare, { key: 'Escape' }));
    expect(screen.queryByTestId('compare')).toBeNull();
    expect(document.activeElement).toBe(table());
    press('Escape');
    expect(chosen(bench)).toEqual([]);
  });

  it('opens a run, and forks one', async () => {
    const bench = await show();
    act(() => table().focus());
    press('End');
    press('Enter');
    await bench.settle();
    expect(screen.getByTestId('run-page').dataset['run']).toBe(RUNS.at(-1)?.name);
    act(() => void fireEvent.keyDown(screen.getByTestId('run-page'), { key: 'Escape' }));
    press('f');
    await bench.settle();
    expect(screen.getByTestId('fork-form')).toBeDefined();
  });

  it('asks before it stops, naming what, and stops what goes on alone', async () => {
    const rows = RUNS.map((row, index) => ({ ...row, state: index < 2 ? ('running' as const) : row.state }));
    const bench = await show(rows, {
      'lab.stop': ({ run }) => ({ ...rows.find(({ runId }) => runId === run)!, state: 'stopping' }),
    });
    act(() => table().focus());
    press('s');
    expect(screen.getByText(/^Stop /).textContent).toContain(rows[0]?.name);
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Stop' })));
    await bench.settle();
    expect(bench.asked('lab.stop')).toEqual([{ run: rows[0]?.runId }]);
    expect(shown()[0]?.dataset['state']).toBe('stopping');
  });

  it('goes to the filter and back', async () => {
    await show();
    act(() => table().focus());
    press('/');
    expect(document.activeElement).toBe(screen.getByLabelText('Filter'));
    filter('optimiser=sgd');
    expect(screen.getByTestId('run-count').textContent).toMatch(/^\d+ of 60 runs$/);
    act(() => void fireEvent.keyDown(screen.getByLabelText('Filter'), { key: 'Enter' }));
    expect(document.activeElement).toBe(table());
  });
});

describe('filters', () => {
  it('of MLflow’s syntax are asked of the lab, and say at the field what is wrong', async () => {
    const bench = await show(RUNS, {
      'lab.findRuns': ({ filter: text }) => {
        if (!text.includes('<')) throw new SluiceError('bad-input', 'Expected a comparison at letter 7.');
        return { runIds: RUNS.slice(0, 2).map(({ runId }) => runId) };
      },
    });
    act(() => void fireEvent.click(screen.getByRole('radio', { name: 'Query' })));
    filter('metrics');
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toBe('Expected a comparison at letter 7.');
    expect(screen.getByLabelText('Filter').getAttribute('aria-describedby')).toBe(alert.id);
    filter('metrics.loss < 1');
    await vi.waitFor(() => expect(screen.getByTestId('run-count').textContent).toBe('2 of 60 runs'));
    expect(bench.asked('lab.findRuns')).toEqual([{ filter: 'metrics' }, { filter: 'metrics.loss < 1' }]);
  });

  it('that nothing matches say so, and are cleared there', async () => {
    await show();
    filter('zebra');
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Clear the filter' })));
    expect(shown().length).toBeGreaterThan(10);
  });
});

describe('columns', () => {
  it('are chosen, kept at the left and hidden', async () => {
    const bench = await show();
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Columns' })));
    act(() => void fireEvent.change(screen.getByLabelText('Find a column'), { target: { value: 'los' } }));
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Show loss' })));
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Keep loss at the left' })));
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Hide Program' })));
    expect(bench.session.lab.getState().table).toMatchObject({
      columns: ['state', 'user', 'created', 'duration', 'dataset', 'metrics.loss'],
      pinned: ['metrics.loss'],
    });
    const heads = screen.getAllByRole('columnheader').map(({ textContent }) => textContent);
    expect(heads.slice(0, 3)).toEqual(['', 'Name', 'loss']);
  });
});

describe('without runs', () => {
  it('teaches in one sentence, and its one button starts the example and opens it', async () => {
    const row = fakeRunRow({ runId: 'b'.repeat(32), name: 'ana/digits/1', state: 'queued' });
    const bench = await show([], { ...fakeLabRuns([row]), 'lab.startExample': () => row });
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Run the example' })));
    await bench.settle();
    expect(screen.getByTestId('run-page').dataset['run']).toBe('ana/digits/1');
  });

  it('launches one by its form', async () => {
    const bench = await show([]);
    await act(async () => fireEvent.click(screen.getByRole('button', { name: 'Launch a run' })));
    await bench.settle();
    expect(screen.getByTestId('launch-form')).toBeDefined();
  });
});
