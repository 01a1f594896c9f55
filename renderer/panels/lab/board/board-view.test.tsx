import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../../core/contract';
import type { LabRunDetail } from '../../../../core/contract';
import { fakeRunRow } from '../../../test-support/fake-lab';
import {
  FAKE_BOARD,
  FAKE_COMPETITIONS,
  fakeSubmission,
  FAKE_SUBMISSIONS,
} from '../../../test-support/fake-lab-shelves';
import { showLab } from '../../../test-support/lab-bench';
import { BoardView } from './board-view';

const NOW_MS = Date.UTC(2026, 4, 1, 10);

beforeEach(() => {
  vi.spyOn(Date, 'now').mockReturnValue(NOW_MS);
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const DETAIL: LabRunDetail = {
  ...fakeRunRow({ runId: 'f'.repeat(32), name: 'ana/digits/7' }),
  forks: [],
  models: [],
  checkpoints: ['checkpoints/27.pt', 'checkpoints/9.pt'],
};

const SCRIPT = {
  'lab.competitions': () => FAKE_COMPETITIONS,
  'lab.board': () => FAKE_BOARD,
  'lab.submissions': () => FAKE_SUBMISSIONS,
  'lab.submit': () => fakeSubmission({ id: 10 }),
  'lab.run': () => DETAIL,
};

const click = (name: string | RegExp): void =>
  act(() => void fireEvent.click(screen.getByRole('button', { name })));
const type = (label: string, value: string): void =>
  act(() => void fireEvent.change(screen.getByLabelText(label), { target: { value } }));

describe('the board', () => {
  it('teaches while there is no competition, and lays out the example', async () => {
    const { asked, engine, settle } = await showLab(<BoardView />, {
      ...SCRIPT,
      'lab.competitions': () => [],
      'lab.startExample': () => fakeRunRow({ runId: 'e'.repeat(32) }),
    });
    engine.script({ 'lab.competitions': () => FAKE_COMPETITIONS });
    click('Lay out the example');
    await settle();
    expect(asked('lab.startExample')).toHaveLength(1);
    expect(screen.getAllByTestId('competition-item')).toHaveLength(3);
  });

  it('ranks with ties, marks the own row and links to its run alone', async () => {
    const { session } = await showLab(<BoardView />, SCRIPT);
    const rows = screen.getAllByTestId('board-row');
    expect(rows.map(({ dataset }) => [dataset['rank'], dataset['own']])).toEqual([
      ['1', 'false'],
      ['2', 'true'],
      ['2', 'false'],
      ['4', 'false'],
      ['5', 'false'],
    ]);
    expect(rows[1]?.textContent).toContain('=2');
    expect(rows[1]?.textContent).toContain('you');
    expect(within(rows[0]!).queryByRole('button')).toBeNull();
    act(() => void fireEvent.click(within(rows[1]!).getByRole('button')));
    expect(session.lab.getState().over).toMatchObject({ kind: 'run' });
  });

  it('says what is left: submissions of the day, time until the deadline', async () => {
    await showLab(<BoardView />, SCRIPT);
    expect(screen.getByTestId('left-today').textContent).toBe('3 of 5 left today');
    expect(screen.getByTestId('deadline').textContent).toBe('ends in 3\u2009d 4\u2009h');
    click(/Next line/);
    expect(screen.getByTestId('deadline').textContent).toContain('over since');
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Submit' }).disabled).toBe(true);
    expect(screen.getByText('This competition is over.')).toBeDefined();
  });

  it('submits a run’s checkpoint, or tries it', async () => {
    const { asked, settle } = await showLab(<BoardView />, SCRIPT);
    act(() => void fireEvent.submit(screen.getByRole('form', { name: 'Submit' })));
    expect(screen.getByText('Say which run.')).toBeDefined();
    type('Run', 'ana/digits/7');
    await settle();
    type('Checkpoint', 'checkpoints/9.pt');
    act(() => void fireEvent.click(screen.getByLabelText('Dry run on 10 rows')));
    act(() => void fireEvent.submit(screen.getByRole('form', { name: 'Submit' })));
    await settle();
    expect(asked('lab.submit')).toEqual([
      { competition: 'digits', run: 'ana/digits/7', checkpoint: 'checkpoints/9.pt', isDryRun: true },
    ]);
    expect(asked('lab.submissions').length).toBeGreaterThan(1);
  });

  it('lets a dry run go where no submission is left', async () => {
    await showLab(<BoardView />, SCRIPT);
    click(/Hours until/);
    const button = (name: string) => screen.getByRole<HTMLButtonElement>('button', { name });
    expect(button('Submit').disabled).toBe(true);
    act(() => void fireEvent.click(screen.getByLabelText('Dry run on 10 rows')));
    expect(button('Try it').disabled).toBe(false);
  });

  it('shows what became of each submission, and why one was refused', async () => {
    const { engine, settle } = await showLab(<BoardView />, SCRIPT);
    const states = screen.getAllByTestId('submission').map(({ dataset }) => dataset['state']);
    expect(states).toEqual(['inferring', 'failed', 'scored']);
    expect(screen.getByText(/No module named "torch"/)).toBeDefined();
    engine.script({
      'lab.submit': () => {
        throw new SluiceError('not-found', 'There is no run x. Look at the table of runs.');
      },
    });
    type('Run', 'x');
    act(() => void fireEvent.submit(screen.getByRole('form', { name: 'Submit' })));
    await settle();
    expect(screen.getByRole('alert').textContent).toContain('There is no run x.');
  });
});
