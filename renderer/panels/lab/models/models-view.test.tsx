import { act, cleanup, fireEvent, screen, within } from '@testing-library/react';
import { afterEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../../../core/contract';
import type { LabDeployment } from '../../../../core/contract';
import { FAKE_LAB_MODELS, fakeLabDeployment } from '../../../test-support/fake-lab-shelves';
import { fakeEndpoint } from '../../../test-support/fake-offload';
import { showLab } from '../../../test-support/lab-bench';
import { ModelsView } from './models-view';

afterEach(cleanup);

const MODEL = FAKE_LAB_MODELS[0]!;
const { canary: _canary, ...SETTLED } = fakeLabDeployment({
  stable: { version: 4, sharePct: 100, requests: 0, failures: 0 },
});

const SCRIPT = {
  'lab.models': () => FAKE_LAB_MODELS,
  'lab.deployments': (): readonly LabDeployment[] => [fakeLabDeployment()],
  'lab.setCanary': () => fakeLabDeployment(),
  'lab.rollBack': () => SETTLED,
  'lab.unpublish': () => ({}),
  'lab.publish': () => fakeLabDeployment(),
  'lab.setAlias': () => MODEL,
  'lab.registerModel': () => MODEL,
  'lab.artifacts': () => [{ path: 'model.onnx', isFolder: false, bytes: 10 }],
  'endpoints.list': () => [
    fakeEndpoint({ name: 'edge-7' }),
    fakeEndpoint({ name: 'cloud-eu', tier: 'cloud' }),
  ],
};

const click = (name: string | RegExp): void =>
  act(() => void fireEvent.click(screen.getByRole('button', { name })));
const type = (label: string, value: string): void =>
  act(() => void fireEvent.change(screen.getByLabelText(label), { target: { value } }));
const submit = (name: string): void => act(() => void fireEvent.submit(screen.getByRole('form', { name })));

describe('the registered models', () => {
  it('teach while there is none, and are registered from a run', async () => {
    const { asked, engine, settle } = await showLab(<ModelsView />, {
      ...SCRIPT,
      'lab.models': () => [],
      'lab.deployments': () => [],
    });
    click('Register a model');
    submit('Register from a run');
    expect(screen.getByText('Say which run.')).toBeDefined();
    type('Run', 'ana/digits/7');
    type('Artifact', 'model.onnx');
    type('Model', 'digit-reader');
    engine.script({ 'lab.models': SCRIPT['lab.models'] });
    submit('Register from a run');
    await settle();
    expect(asked('lab.registerModel')).toEqual([
      { run: 'ana/digits/7', path: 'model.onnx', model: 'digit-reader', description: '' },
    ]);
    expect(screen.getByTestId('lab-model-inspector')).toBeDefined();
  });

  it('give aliases, take them from another version, and take them away', async () => {
    const { asked, settle } = await showLab(<ModelsView />, SCRIPT);
    act(() => void fireEvent.click(screen.getAllByTestId('lab-model-row')[0]!));
    type('Alias', '4');
    expect(screen.getByText(/no number/)).toBeDefined();
    type('Alias', 'champion');
    click('Move from 3');
    await settle();
    click('Take challenger away');
    await settle();
    expect(asked('lab.setAlias')).toEqual([
      { model: 'digit-reader', alias: 'champion', version: 4 },
      { model: 'digit-reader', alias: 'challenger' },
    ]);
  });

  it('are published: beside what is there with a share, elsewhere at once', async () => {
    const { asked, settle } = await showLab(<ModelsView />, SCRIPT);
    act(() => void fireEvent.click(screen.getAllByTestId('lab-model-row')[0]!));
    expect(screen.getByText('Version 3 keeps 90%.')).toBeDefined();
    type('Share', '25');
    submit('Publish');
    await settle();
    type('Endpoint', 'id-cloud-eu');
    expect(screen.getByText(/Nothing serves there yet/)).toBeDefined();
    submit('Publish');
    await settle();
    expect(asked('lab.publish')).toEqual([
      { model: 'digit-reader', version: 4, endpointId: 'id-edge-7', sharePct: 25 },
      { model: 'digit-reader', version: 4, endpointId: 'id-cloud-eu', sharePct: 100 },
    ]);
  });

  it('become a variant of the offload agent with an accuracy and where it is from', async () => {
    const { asked, settle } = await showLab(<ModelsView />, SCRIPT);
    act(() => void fireEvent.click(screen.getAllByTestId('lab-model-row')[0]!));
    type('Accuracy', 'good');
    expect(screen.getByText('A number from 0 to 100.')).toBeDefined();
    type('Accuracy', '93,5');
    expect(screen.getByRole<HTMLButtonElement>('button', { name: 'Publish' }).disabled).toBe(true);
    type('Measured how', 'the board');
    submit('Publish');
    await settle();
    expect(asked('lab.publish')).toMatchObject([
      { version: 4, variant: { accuracyPct: 93.5, source: 'the board' } },
    ]);
  });

  it('point to the endpoints while there is none', async () => {
    const { session } = await showLab(<ModelsView />, { ...SCRIPT, 'endpoints.list': () => [] });
    act(() => void fireEvent.click(screen.getAllByTestId('lab-model-row')[0]!));
    click('Open Endpoints');
    expect(session.layout.getState().panel).toBe('endpoints');
  });
});

describe('the deployments', () => {
  const AT = { endpointId: 'id-edge-7', servedAs: 'digit-reader' };

  it('show each version’s share and traffic, and change them', async () => {
    const { asked, settle } = await showLab(<ModelsView />, SCRIPT);
    const rows = screen.getAllByTestId('traffic-row');
    expect(rows.map(({ textContent }) => textContent)).toEqual([
      '3stable90%48\u20092113' + '2.14.9',
      '4canary10%5\u200931001.63.7',
    ]);
    type('Canary, %', '50');
    act(() => void fireEvent.blur(screen.getByLabelText('Canary, %')));
    await settle();
    click('Promote');
    await settle();
    click('Roll back');
    await settle();
    expect(asked('lab.setCanary')).toEqual([
      { ...AT, sharePct: 50 },
      { ...AT, sharePct: 100 },
    ]);
    expect(asked('lab.rollBack')).toEqual([AT]);
  });

  it('go back to the version before without a canary, and nowhere without one', async () => {
    const { engine, settle } = await showLab(<ModelsView />, {
      ...SCRIPT,
      'lab.deployments': () => [SETTLED],
    });
    expect(screen.getByRole('button', { name: 'Roll back' }).title).toBe('Goes back to version 2');
    const { previousVersion: _gone, ...first } = SETTLED;
    engine.script({ 'lab.deployments': () => [first] });
    act(() => engine.emit('labChange', { parts: ['deployments'] }));
    await settle();
    expect(screen.queryByRole('button', { name: 'Roll back' })).toBeNull();
  });

  it('are unpublished once what goes was named, and say what went wrong', async () => {
    const { asked, engine, settle } = await showLab(<ModelsView />, SCRIPT);
    click('Unpublish…');
    expect(screen.getByText(/Take digit-reader off edge-7\?/)).toBeDefined();
    engine.script({
      'lab.unpublish': () => {
        throw new SluiceError('unavailable', 'edge-7 does not answer.');
      },
    });
    click('Unpublish');
    await settle();
    expect(asked('lab.unpublish')).toEqual([AT]);
    expect(screen.getByRole('alert').textContent).toContain('edge-7 does not answer.');
  });

  it('say why one does not serve', async () => {
    const error = { code: 'unavailable', message: 'No answer within 5 s.', details: {} } as const;
    await showLab(<ModelsView />, {
      ...SCRIPT,
      'lab.deployments': () => [fakeLabDeployment({ state: 'unreachable', error })],
    });
    const card = within(screen.getByTestId('deployment'));
    expect(card.getByRole('alert').textContent).toContain('No answer within 5 s.');
  });
});
