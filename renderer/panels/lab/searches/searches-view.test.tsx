import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../../core/contract';
import { FAKE_SEARCHES, fakeSearch, fakeTrial } from '../../../test-support/fake-lab-shelves';
import { showLab } from '../../../test-support/lab-bench';
import type { ParallelCoordinatesProps } from '../parallel';
import { SearchesView } from './searches-view';

// Charts need a 2D canvas; the browser draws them.
vi.mock('../../../ui/plot', () => ({ Plot: () => null }));
vi.mock('../parallel', () => ({
  ParallelCoordinates: ({ onBrush, label }: ParallelCoordinatesProps) => (
    <button type="button" onClick={() => onBrush([{ axis: 'optimizer', values: ['sgd'] }])}>
      {label}
    </button>
  ),
}));
beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(600);
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const RUNNING = fakeSearch({
  trials: [
    fakeTrial(0, { pool: 'live', best: 0.8, parameters: { lr: 0.01, hidden: 16, optimizer: 'adam' } }),
    fakeTrial(1, { pool: 'dead', best: 0.9, parameters: { lr: 0.02, hidden: 16, optimizer: 'sgd' } }),
    fakeTrial(2, { pool: 'stop', best: 0.7, parameters: { lr: 0.03, hidden: 16, optimizer: 'sgd' } }),
  ],
});

const SCRIPT = {
  'lab.searches': () => FAKE_SEARCHES,
  'lab.search': ({ id }: { readonly id: string }) =>
    id === 'pump-pbt'
      ? fakeSearch({ id, state: 'interrupted', reason: 'The lab was ended.' })
      : { ...RUNNING, id },
  'lab.stopSearch': () => RUNNING,
  'lab.resumeSearch': () => RUNNING,
  'lab.removeSearch': () => ({}),
  'lab.narrowSearch': () => fakeSearch({ id: 'search-4' }),
  'lab.startSearch': () => fakeSearch({ id: 'search-5' }),
  'lab.datasets': () => [],
};

const click = (name: string | RegExp): void =>
  act(() => void fireEvent.click(screen.getByRole('button', { name })));

describe('the searches', () => {
  it('teach while there is none, and open the form', async () => {
    await showLab(<SearchesView />, { ...SCRIPT, 'lab.searches': () => [] });
    click('Start a search');
    expect(screen.getByTestId('new-search')).toBeDefined();
  });

  it('say why they did not come, and are asked again', async () => {
    const { engine, settle } = await showLab(<SearchesView />, {
      'lab.searches': () => {
        throw new SluiceError('unavailable', 'The lab does not answer.');
      },
    });
    expect(screen.getByRole('alert').textContent).toContain('The lab does not answer.');
    engine.script(SCRIPT);
    click('Try again');
    await settle();
    expect(screen.getAllByTestId('search-item')).toHaveLength(3);
  });

  it('show the newest: its best, its pools and its trials, and stop it', async () => {
    const { asked, settle } = await showLab(<SearchesView />, SCRIPT);
    expect(screen.getByTestId('search-best').textContent).toBe('0.9000');
    const pools = within(screen.getByTestId('pools')).getAllByRole('listitem');
    expect(pools.map(({ textContent }) => textContent)).toEqual([
      '1 live',
      '0 finished',
      '1 stopped',
      '1 dead',
    ]);
    expect(screen.getAllByTestId('trial-row')).toHaveLength(3);
    click('Stop');
    await settle();
    expect(asked('lab.stopSearch')).toEqual([{ id: 'search-3' }]);
  });

  it('follow changes, one question at a time', async () => {
    const { engine, asked, settle } = await showLab(<SearchesView />, SCRIPT);
    expect(asked('lab.search')).toHaveLength(1);
    const grown = { ...RUNNING, trials: [...RUNNING.trials, fakeTrial(3)] };
    engine.script({ 'lab.search': () => grown });
    act(() => {
      for (let times = 0; times < 5; times++) engine.emit('labChange', { parts: ['searches'] });
      engine.emit('labChange', { parts: ['datasets'] });
    });
    await settle();
    expect(screen.getAllByTestId('trial-row')).toHaveLength(4);
    expect(asked('lab.search')).toHaveLength(3);
  });

  it('narrow to the brush, and go on with the search that began', async () => {
    const { asked, settle } = await showLab(<SearchesView />, SCRIPT);
    click(/Parallel coordinates/);
    const bar = within(screen.getByTestId('brush-bar'));
    expect(bar.getByRole('status').textContent).toBe('2 of 3 trials in the brush');
    expect(screen.getAllByTestId('trial-row')).toHaveLength(2);
    click('Search within it');
    await settle();
    expect(asked('lab.narrowSearch')).toEqual([
      { id: 'search-3', brushes: [{ parameter: 'optimizer', values: ['sgd'] }] },
    ]);
    expect(asked('lab.search').at(-1)).toEqual({ id: 'search-4' });
  });

  it('resume one that was interrupted, and remove it once what goes was named', async () => {
    const { asked, settle } = await showLab(<SearchesView />, SCRIPT);
    click(/pump-pbt/);
    await settle();
    expect(screen.getByText('The lab was ended.')).toBeDefined();
    click('Resume');
    await settle();
    expect(asked('lab.resumeSearch')).toEqual([{ id: 'pump-pbt' }]);
    click('Remove…');
    expect(screen.getByText(/list of its 40 trials go/)).toBeDefined();
    expect(asked('lab.removeSearch')).toEqual([]);
    click('Remove the search');
    await settle();
    expect(asked('lab.removeSearch')).toEqual([{ id: 'pump-pbt' }]);
  });

  it('open a trial’s run', async () => {
    const { session } = await showLab(<SearchesView />, SCRIPT);
    act(() => void fireEvent.click(screen.getByText('ana/digits/40')));
    expect(session.lab.getState().over).toMatchObject({ kind: 'run' });
  });
});

describe('a new search', () => {
  const type = (label: string, value: string): void =>
    act(() => void fireEvent.change(screen.getByLabelText(label), { target: { value } }));
  const submit = (): void => act(() => void fireEvent.submit(screen.getByTestId('new-search')));

  it('is sent as JSON with what each trial runs', async () => {
    const { asked, settle } = await showLab(<SearchesView />, SCRIPT);
    click('New search');
    type('Name', 'night');
    type('Search, as JSON', '{"space": {}}');
    type('Working folder', '/digits');
    type('Program within it', 'train.py');
    submit();
    await settle();
    expect(asked('lab.startSearch')).toEqual([
      { name: 'night', search: '{"space": {}}', trials: { folder: '/digits', entry: 'train.py' } },
    ]);
    expect(asked('lab.search').at(-1)).toEqual({ id: 'search-5' });
  });

  it('says where its JSON is none, and goes there', async () => {
    const { asked } = await showLab(<SearchesView />, SCRIPT);
    click('New search');
    type('Search, as JSON', '{\n  "space": {}\n  "budget": 1\n}');
    submit();
    expect(asked('lab.startSearch')).toEqual([]);
    expect(screen.getByText('Say which folder to pack.')).toBeDefined();
    click('line 3, column 3');
    const area = screen.getByLabelText<HTMLTextAreaElement>('Search, as JSON');
    expect([document.activeElement, area.selectionStart]).toEqual([area, 18]);
  });

  it('says where in it the lab’s faults are', async () => {
    const { engine, settle } = await showLab(<SearchesView />, SCRIPT);
    engine.script({
      'lab.startSearch': () => {
        throw new SluiceError('bad-input', 'no', { faults: ['maxResource: expected more than 0'] });
      },
    });
    click('New search');
    type('Working folder', '/digits');
    type('Program within it', 'train.py');
    submit();
    await settle();
    expect(screen.getByText('maxResource: expected more than 0')).toBeDefined();
    expect(screen.getByRole('button', { name: /line 9/ })).toBeDefined();
  });
});
