import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../../../core/contract';
import { FAKE_DATASET_FILES, FAKE_DATASETS, fakeDataset } from '../../../test-support/fake-lab-shelves';
import { showLab } from '../../../test-support/lab-bench';
import { DatasetsView } from './datasets-view';

afterEach(cleanup);

const SCRIPT = {
  'lab.datasets': () => FAKE_DATASETS,
  'lab.datasetFiles': () => FAKE_DATASET_FILES,
  'lab.editDataset': () => fakeDataset({ name: 'digits' }),
  'lab.removeDatasetVersion': () => ({}),
  'lab.collectDatasets': () => ({ freedBytes: 3 * 2 ** 20 }),
  'jobs.cancel': () => ({}),
};

const click = (name: string | RegExp): void =>
  act(() => void fireEvent.click(screen.getByRole('button', { name })));
const type = (label: string, value: string): void =>
  act(() => void fireEvent.change(screen.getByLabelText(label), { target: { value } }));
const open = (name: string): void => act(() => void fireEvent.click(screen.getByText(name)));

async function show() {
  const bench = await showLab(<DatasetsView />, SCRIPT);
  open('digits');
  await bench.settle();
  return { ...bench, inspector: within(screen.getByTestId('dataset-inspector')) };
}

describe('the datasets', () => {
  it('teach while there is none', async () => {
    await showLab(<DatasetsView />, { ...SCRIPT, 'lab.datasets': () => [] });
    click('Push a folder');
    expect(screen.getByRole('form', { name: 'Push a folder' })).toBeDefined();
  });

  it('open by a row, and show the newest version with what is hidden in it', async () => {
    const { inspector, asked, settle } = await show();
    expect(asked('lab.datasetFiles')).toEqual([{ name: 'digits', version: 2 }]);
    expect(inspector.getByText('for evaluators alone')).toBeDefined();
    act(() => void fireEvent.click(inspector.getByRole('button', { name: /@1/ })));
    await settle();
    expect(asked('lab.datasetFiles').at(-1)).toEqual({ name: 'digits', version: 1 });
    act(() => void fireEvent.keyDown(screen.getByTestId('dataset-inspector'), { key: 'Escape' }));
    expect(screen.queryByTestId('dataset-inspector')).toBeNull();
  });

  it('are changed: description and tags once saved, who sees them at once', async () => {
    const { asked, settle } = await show();
    expect(screen.queryByRole('button', { name: 'Save' })).toBeNull();
    type('Description', 'Small pictures.');
    type('Tags', 'vision, , small, vision');
    click('Save');
    await settle();
    act(() => void fireEvent.click(screen.getByLabelText('Owner')));
    await settle();
    expect(asked('lab.editDataset')).toEqual([
      { name: 'digits', description: 'Small pictures.', tags: ['vision', 'small'] },
      { name: 'digits', visibility: 'private' },
    ]);
  });

  it('are removed by version once what goes was named', async () => {
    const { asked, settle } = await show();
    click('Remove…');
    expect(screen.getByText(/Remove digits@2 for good\? Its 4 files/)).toBeDefined();
    act(() => void fireEvent.keyDown(screen.getByText(/for good/), { key: 'Escape' }));
    expect(screen.queryByText(/for good/)).toBeNull();
    expect(screen.getByTestId('dataset-inspector')).toBeDefined();
    click('Remove…');
    click('Remove the version');
    await settle();
    expect(asked('lab.removeDatasetVersion')).toEqual([{ name: 'digits', version: 2 }]);
  });

  it('free what nobody needs, and say how much that was', async () => {
    const { settle } = await show();
    click('Collect garbage');
    await settle();
    expect(screen.getByTestId('freed').textContent).toBe('3.0\u2009MiB freed');
  });

  it('are verified, with what is damaged', async () => {
    const { engine, settle } = await show();
    engine.script({ 'lab.verifyDataset': () => ({ bytes: 2 ** 20, faults: [] }) });
    click('Verify');
    await settle();
    expect(screen.getByText(/All hashes match/)).toBeDefined();
    engine.script({ 'lab.verifyDataset': () => ({ bytes: 2 ** 20, faults: ['train.csv: chunk 3'] }) });
    click('Verify');
    await settle();
    expect(screen.getByRole('alert').textContent).toContain('train.csv: chunk 3');
  });
});

describe('a push', () => {
  async function push() {
    let end = { done: (): void => undefined, fail: (_error: SluiceError): void => undefined };
    const bench = await showLab(<DatasetsView />, {
      ...SCRIPT,
      'lab.pushDataset': ({ name }) =>
        new Promise((resolve, reject) => {
          end = { done: () => resolve(fakeDataset({ name })), fail: reject };
        }),
    });
    click('Push a folder');
    type('Name', 'digits');
    expect(screen.getByText(/Becomes digits@3/)).toBeDefined();
    type('Folder', 'digits');
    act(() => void fireEvent.submit(screen.getByRole('form')));
    expect(screen.getByText('The whole path, from / on.')).toBeDefined();
    type('Folder', '/data/digits');
    act(() => void fireEvent.submit(screen.getByRole('form')));
    await bench.settle();
    const [input] = bench.asked('lab.pushDataset');
    return { ...bench, input: input!, end: (how: keyof typeof end, error?: SluiceError) => end[how](error!) };
  }

  it('shows how far it is and can be cancelled', async () => {
    const { input, engine, session, asked, settle } = await push();
    expect(input).toMatchObject({ name: 'digits', folder: '/data/digits', note: '' });
    const job = session.jobs.getState().jobs[0]!.job;
    act(() => engine.emit('job', { ...job, phase: 'train.csv', doneBytes: 1024, totalBytes: 4096 }));
    const row = within(screen.getByTestId('job-row'));
    expect(row.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('25');
    act(() => void fireEvent.click(row.getByRole('button', { name: 'Cancel' })));
    await settle();
    expect(asked('jobs.cancel')).toEqual([{ jobId: input.jobId }]);
  });

  it('leaves the list when it is in, and opens the dataset', async () => {
    const { end, settle } = await push();
    end('done');
    await settle();
    expect(screen.queryByTestId('job-row')).toBeNull();
    expect(screen.getByTestId('dataset-inspector')).toBeDefined();
  });

  it('stays with why it failed', async () => {
    const { end, settle } = await push();
    end('fail', new SluiceError('not-found', 'There is no folder /data/digits.'));
    await settle();
    expect(screen.getByRole('alert').textContent).toContain('There is no folder');
    click('Dismiss');
    expect(screen.queryByRole('alert')).toBeNull();
  });

  it('is gone once it was cancelled', async () => {
    const { end, settle } = await push();
    end('fail', new SluiceError('cancelled', 'cancelled'));
    await settle();
    expect(screen.queryByTestId('job-row')).toBeNull();
  });
});
