import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../../core/contract';
import { fakeRunRow } from '../../../test-support/fake-lab';
import { FAKE_QUEUE } from '../../../test-support/fake-lab-shelves';
import { showLab } from '../../../test-support/lab-bench';
import { QueueView } from './queue-view';

beforeEach(() => {
  vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(600);
});
afterEach(() => {
  cleanup();
  vi.restoreAllMocks();
});

const SCRIPT = {
  'lab.queue': () => FAKE_QUEUE,
  'lab.stop': () => fakeRunRow({ runId: 'a'.repeat(32) }),
};

describe('the queue', () => {
  it('teaches while nothing waits, and opens the form of a launch', async () => {
    const { session } = await showLab(<QueueView />, { 'lab.queue': () => ({ ...FAKE_QUEUE, jobs: [] }) });
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Launch a run' })));
    expect(session.lab.getState().over).toEqual({ kind: 'launch' });
  });

  it('shows jobs in order, with why they wait, and stops one', async () => {
    const { asked, settle } = await showLab(<QueueView />, SCRIPT);
    const rows = screen.getAllByTestId('queue-row');
    expect(rows.map(({ dataset }) => dataset['state'])).toEqual([
      'running',
      'stopping',
      'queued',
      'queued',
      'queued',
    ]);
    expect(rows[2]?.textContent).toContain('waits for 1 GPU and 2.0 GiB of memory');
    expect(rows[3]?.textContent).toContain('submission 9 by ana');
    expect(screen.getByText('2 running, 3 waiting')).toBeDefined();
    act(() => void fireEvent.click(within(rows[2]!).getByRole('button', { name: /^Stop/ })));
    await settle();
    expect(asked('lab.stop')).toEqual([{ run: FAKE_QUEUE.jobs[2]!.runId }]);
  });

  it('says why one was not stopped', async () => {
    const { engine, settle } = await showLab(<QueueView />, SCRIPT);
    engine.script({
      'lab.stop': () => {
        throw new SluiceError('unauthorized', 'It is ben’s.');
      },
    });
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Stop ben/maintenance-log/3' })));
    await settle();
    expect(screen.getByRole('alert').textContent).toContain('It is ben’s.');
  });

  it('shows what each node has and what of it is taken, and the day’s account', async () => {
    await showLab(<QueueView />, SCRIPT);
    const [edge, slurm] = screen.getAllByTestId('node-card');
    expect(within(edge!).getByLabelText('CPUs: 3 of 4 used')).toBeDefined();
    expect(edge?.textContent).toContain('digits@2');
    expect(slurm?.dataset['up']).toBe('false');
    const lines = screen.getAllByTestId('account-line').map(({ textContent }) => textContent);
    expect(lines).toEqual(['CPU212\u2009min', 'GPU118 of 120\u2009min']);
  });

  it('keeps what it had when asking again fails', async () => {
    const { engine, settle } = await showLab(<QueueView />, SCRIPT);
    engine.script({
      'lab.queue': () => {
        throw new SluiceError('unavailable', 'The lab does not answer.');
      },
    });
    act(() => engine.emit('labChange', { parts: ['queue'] }));
    await settle();
    expect(screen.getByRole('alert').textContent).toContain('What is shown may be old');
    expect(screen.getAllByTestId('queue-row')).toHaveLength(5);
  });
});
