import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../../core/contract';
import type { LabRunRow } from '../../../../core/contract';
import { fakeLabRuns, fakeRunRow } from '../../../test-support/fake-lab';
import { showLab } from '../../../test-support/lab-bench';
import type { LabBench } from '../../../test-support/lab-bench';
import { RunPage } from './run-page';

// Charts need a 2D canvas; the browser draws them.
vi.mock('../../../ui/plot', () => ({ Plot: () => null }));
afterEach(cleanup);

const ID = 'a'.repeat(32);
const NONE = { cpus: 0, gpus: 0, memoryBytes: 0 };
const FAILED = fakeRunRow({
  runId: ID,
  state: 'failed',
  reason: 'it ended with exit code 1: no memory',
  exitCode: 1,
});
const back = vi.fn();

async function show(row: LabRunRow, script: Parameters<typeof showLab>[1] = {}): Promise<LabBench> {
  const bench = await showLab(<RunPage runId={ID} isForking={false} onBack={back} />, {
    ...fakeLabRuns([row]),
    ...script,
  });
  act(() =>
    bench.session.lab
      .getState()
      .actions.applyRuns({ revision: '2', isWhole: true, runs: [row], removed: [] }),
  );
  await bench.settle();
  return bench;
}

const button = (name: string): HTMLButtonElement => screen.getByRole('button', { name });
const click = (name: string): Promise<void> =>
  act(async () => void fireEvent.click(screen.getByRole('button', { name })));

describe('a run’s page', () => {
  it('says how it stands and why, what it was launched with, and what came of it', async () => {
    await show(FAILED);
    expect(screen.getByTestId('run-state').textContent).toBe('failedit ended with exit code 1: no memory');
    const about = within(screen.getByRole('complementary', { name: 'About this run' }));
    for (const text of [
      '--lr 0.01',
      '--layers 2',
      '2 CPU, 1.0 GiB',
      'digits@2',
      'step-300.json',
      'version 3',
    ])
      expect(about.getByText(text)).toBeDefined();
    expect(screen.getAllByTestId('metric-chart').map(({ dataset }) => dataset['metric'])).toEqual([
      'accuracy',
      'loss',
    ]);
    act(() => void fireEvent.keyDown(screen.getByTestId('run-page'), { key: 'Escape' }));
    expect(back).toHaveBeenCalledOnce();
  });

  it('shows the points of a plot as a table', async () => {
    await show(FAILED);
    const [chart] = screen.getAllByTestId('metric-chart');
    await act(
      async () => void fireEvent.click(within(chart!).getByRole('button', { name: /Show as table/ })),
    );
    // Only the rows in view are drawn.
    expect(within(chart!).getByRole('table').getAttribute('aria-rowcount')).toBe('301');
  });

  it('resumes one that failed, and says why when it can’t', async () => {
    const bench = await show(FAILED, {
      'lab.resume': () => {
        throw new SluiceError('conflict', 'Its folder is gone.');
      },
    });
    await click('Resume');
    expect(bench.session.lab.getState().fault?.error.message).toBe('Its folder is gone.');
    bench.engine.script({ 'lab.resume': () => ({ ...FAILED, state: 'queued', position: 1 }) });
    await click('Resume');
    await bench.settle();
    expect(screen.getByTestId('run-state').dataset['state']).toBe('queued');
  });

  it('names what goes before it is removed', async () => {
    const bench = await show(FAILED, { 'lab.remove': () => ({}) });
    await click('Remove');
    expect(screen.getByText(/Its folder, log, artifacts and metrics go/).textContent).toContain(
      'ana/digits/7',
    );
    await click('Remove it');
    await bench.settle();
    expect(bench.asked('lab.remove')).toEqual([{ runs: [ID] }]);
    expect(bench.session.lab.getState().rows).toEqual([]);
  });

  it('forks from the checkpoint that was clicked, with what was changed alone', async () => {
    const bench = await show(FAILED, {
      'lab.fork': () => fakeRunRow({ runId: 'c'.repeat(32), name: 'ana/digits/8', state: 'queued' }),
    });
    await act(
      async () => void fireEvent.click(screen.getAllByRole('button', { name: 'Fork from this' })[1]!),
    );
    const form = within(screen.getByTestId('fork-form'));
    act(() => void fireEvent.change(form.getByLabelText('Arguments'), { target: { value: '--lr 0.1' } }));
    await act(async () => void fireEvent.submit(screen.getByTestId('fork-form')));
    await bench.settle();
    expect(bench.asked('lab.fork')).toEqual([
      { run: ID, args: '--lr 0.1', checkpoint: 'checkpoints/step-200.json' },
    ]);
    expect(bench.session.lab.getState().over).toEqual({ kind: 'run', runId: 'c'.repeat(32) });
  });

  it('shows what the parent ran on, and forks onto another engine with more', async () => {
    const bench = await show(FAILED, {
      'lab.fork': () => fakeRunRow({ runId: 'c'.repeat(32), name: 'ana/digits/8', state: 'queued' }),
      'lab.queue': () => ({
        jobs: [],
        nodes: [{ engine: 'slurm', name: 'n1', total: NONE, free: NONE, isUp: true, datasets: [] }],
        account: { cpuMinutes: 0, gpuMinutes: 0 },
      }),
    });
    await click('Fork');
    const form = within(screen.getByTestId('fork-form'));
    const field = (label: string) => form.getByLabelText<HTMLInputElement>(label);
    expect(['Job engine', 'CPUs', 'GPUs', 'Memory'].map((label) => field(label).value)).toEqual([
      'local',
      '2',
      '0',
      '1.0 GiB',
    ]);
    const type = (label: string, value: string) =>
      act(() => void fireEvent.change(field(label), { target: { value } }));
    type('GPUs', 'half');
    expect(form.getByText('A whole number from 0 on.')).toBeDefined();
    expect(form.getByRole<HTMLButtonElement>('button', { name: 'Fork' }).disabled).toBe(true);
    type('GPUs', '0');
    type('Job engine', 'slurm');
    type('CPUs', '4');
    await act(async () => void fireEvent.submit(screen.getByTestId('fork-form')));
    await bench.settle();
    expect(bench.asked('lab.fork')).toEqual([{ run: ID, engine: 'slurm', resources: { cpus: 4 } }]);
  });

  it('refuses an environment that is none before it is sent', async () => {
    await show(FAILED);
    await click('Fork');
    const form = within(screen.getByTestId('fork-form'));
    act(() => void fireEvent.change(form.getByLabelText('Environment'), { target: { value: 'x' } }));
    expect(form.getByText('“x” is no NAME=value')).toBeDefined();
    expect(form.getByRole<HTMLButtonElement>('button', { name: 'Fork' }).disabled).toBe(true);
  });

  it('has nothing to stop, fork or submit of a run that its program logged', async () => {
    await show(fakeRunRow({ runId: ID, state: 'logged', isLaunched: false }));
    for (const name of ['Stop', 'Resume', 'Fork', 'Submit'])
      expect(screen.queryByRole('button', { name })).toBeNull();
    act(() => void fireEvent.click(screen.getByRole('radio', { name: 'Log' })));
    expect(screen.getByText(/its log is where it ran/)).toBeDefined();
  });

  it('leaves everything readable but no button while the engine is away', async () => {
    const bench = await show(FAILED);
    act(() => bench.setStatus({ state: 'down', reason: 'it crashed' }));
    for (const name of ['Resume', 'Fork', 'Remove']) expect(button(name).disabled).toBe(true);
    expect(screen.getByTestId('run-log').textContent).toContain('step 20');
  });
});

describe('the log', () => {
  it('goes on as long as it is written, from where it was', async () => {
    const parts = ['two\n', ''];
    const bench = await show(fakeRunRow({ runId: ID, state: 'running' }), {
      'lab.log': ({ offset }) => {
        if (offset < 0) return { text: 'one\n', nextOffset: 4, bytes: 4, isEnd: false };
        const text = parts.shift() ?? '';
        return { text, nextOffset: offset + text.length, bytes: 8, isEnd: text === '' };
      },
    });
    const log = screen.getByTestId('run-log');
    await vi.waitFor(() => expect(log.dataset['end']).toBe('true'));
    expect(within(log).getByRole('log').textContent).toBe('onetwo');
    expect(bench.asked('lab.log').map(({ offset }) => offset)).toEqual([-131_072, 4, 8]);
  });

  it('is searched', async () => {
    await show(FAILED);
    const field = screen.getByLabelText('Search the log');
    act(() => void fireEvent.change(field, { target: { value: 'CHECKPOINT' } }));
    expect(screen.getByText('1 of 8')).toBeDefined();
    act(() => void fireEvent.keyDown(field, { key: 'Enter', shiftKey: true }));
    expect(screen.getByText('8 of 8')).toBeDefined();
    act(() => void fireEvent.change(field, { target: { value: 'zebra' } }));
    expect(screen.getByText('not found')).toBeDefined();
  });

  it('that can’t be read says why, and is read again', async () => {
    const bench = await show(FAILED, {
      'lab.log': () => {
        throw new SluiceError('io', 'The file is gone.');
      },
    });
    expect(screen.getByText('The file is gone.')).toBeDefined();
    bench.engine.script({ 'lab.log': () => ({ text: 'x\n', nextOffset: 2, bytes: 2, isEnd: true }) });
    await click('Try again');
    await bench.settle();
    expect(screen.queryByText('The file is gone.')).toBeNull();
  });
});

describe('artifacts', () => {
  it('are a tree by keyboard, and a table is looked at as one', async () => {
    const bench = await show(FAILED);
    act(() => void fireEvent.click(screen.getByRole('radio', { name: 'Artifacts' })));
    await bench.settle();
    const [folder, table] = screen.getAllByTestId('artifact');
    act(() => void fireEvent.keyDown(folder!, { key: 'ArrowRight' }));
    await bench.settle();
    expect(screen.getByText('step-300.json', { selector: '[role=treeitem] span' })).toBeDefined();
    act(() => void fireEvent.keyDown(table!, { key: 'Enter' }));
    await bench.settle();
    const preview = within(screen.getByTestId('artifact-preview'));
    expect(preview.getByRole('columnheader', { name: 'digit' })).toBeDefined();
    expect(preview.getByRole('cell', { name: '8, looped' })).toBeDefined();
  });
});
