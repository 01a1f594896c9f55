import { act, cleanup, fireEvent, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../../core/contract';
import type { LabLaunch } from '../../../../core/contract';
import { fakeRunRow } from '../../../test-support/fake-lab';
import { FAKE_DATASETS, FAKE_QUEUE } from '../../../test-support/fake-lab-shelves';
import { showLab } from '../../../test-support/lab-bench';
import type { TestSessionOptions } from '../../../test-support/test-session';
import { LaunchForm } from './launch-form';

afterEach(cleanup);

const RUN = fakeRunRow({ runId: 'a'.repeat(32) });

async function show(start: Partial<LabLaunch>, options: TestSessionOptions = {}) {
  const onDone = vi.fn();
  const onCancel = vi.fn();
  const bench = await showLab(
    <LaunchForm start={start} onDone={onDone} onCancel={onCancel} />,
    {
      'lab.datasets': () => FAKE_DATASETS,
      'lab.queue': () => FAKE_QUEUE,
      'lab.launch': () => RUN,
    },
    options,
  );
  const type = (label: string, value: string): void =>
    act(() => void fireEvent.change(screen.getByLabelText(label), { target: { value } }));
  const submit = async (): Promise<void> => {
    act(() => void fireEvent.submit(screen.getByTestId('launch-form')));
    await bench.settle();
  };
  return { ...bench, onDone, onCancel, type, submit };
}

describe('the form that launches a run', () => {
  it('sends what was typed and hands back the run', async () => {
    const { type, submit, asked, onDone } = await show({ folder: '/digits' });
    type('Program within it', 'train.py');
    type('Dataset', 'digits@1');
    type('Job engine', 'slurm');
    type('GPUs', '1');
    type('Time limit', '30');
    await submit();
    expect(asked('lab.launch')).toEqual([
      {
        folder: '/digits',
        entry: 'train.py',
        dataset: 'digits@1',
        engine: 'slurm',
        resources: { gpus: 1 },
        limitMs: 1_800_000,
      },
    ]);
    expect(onDone).toHaveBeenCalledWith(RUN);
  });

  it('says at each field what is wrong, goes to the first of them, and sends nothing', async () => {
    const { type, submit, asked } = await show({});
    type('CPUs', 'many');
    await submit();
    expect(asked('lab.launch')).toEqual([]);
    expect(document.activeElement).toBe(screen.getByLabelText('Working folder'));
    expect(screen.getByText('Say which folder to pack.')).toBeDefined();
    expect(screen.getByText('More than 0, like 0.5 or 4.')).toBeDefined();
    type('CPUs', '2');
    expect(screen.queryByText('More than 0, like 0.5 or 4.')).toBeNull();
  });

  it('shows what the lab refuses at its field, and anything else below', async () => {
    const { engine, submit } = await show({ folder: '/digits', entry: 'train.py' });
    engine.script({
      'lab.launch': () => {
        throw new SluiceError('bad-input', 'no', { faults: ['resources.gpus: this lab has no GPU'] });
      },
    });
    await submit();
    expect(screen.getByLabelText('GPUs').getAttribute('aria-invalid')).toBe('true');
    expect(screen.queryByRole('alert')).toBeNull();
    engine.script({
      'lab.launch': () => {
        throw new SluiceError('io', 'The disk is full. Remove runs.');
      },
    });
    await submit();
    expect(screen.getByRole('alert').textContent).toContain('The disk is full');
  });

  it('asks the host for a folder where it can, and is cancelled by Escape', async () => {
    const host = { chooseFolder: () => Promise.resolve('/chosen') };
    const { settle, onCancel } = await show({}, { host });
    act(() => void fireEvent.click(screen.getByRole('button', { name: 'Choose…' })));
    await settle();
    expect(screen.getByLabelText<HTMLInputElement>('Working folder').value).toBe('/chosen');
    act(() => void fireEvent.keyDown(screen.getByTestId('launch-form'), { key: 'Escape' }));
    expect(onCancel).toHaveBeenCalledOnce();
  });

  it('has a line for the folder alone in a browser', async () => {
    await show({}, { kind: 'browser' });
    expect(screen.queryByRole('button', { name: 'Choose…' })).toBeNull();
  });
});
