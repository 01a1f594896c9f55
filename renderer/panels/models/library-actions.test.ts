import { describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../../core/contract';
import { cancelWork } from '../../session';
import { EXAMPLE_MODEL } from '../../test-support/fake-engine';
import { fakeModel } from '../../test-support/fake-library';
import { createTestSession } from '../../test-support/test-session';
import type { TestSession, TestSessionOptions } from '../../test-support/test-session';
import {
  discardRemoved,
  importExample,
  importFile,
  removeModel,
  restoreModel,
  verifyModel,
} from './library-actions';
import { layersPath } from './layers-bar';

const MODEL = fakeModel({ name: 'resnet50' });
const REMOVED = { name: 'resnet50', bytes: 9e6, undoUntil: '2026-05-01T10:10:00.000Z' };
const PATH = { kind: 'path', name: 'resnet50.onnx', path: '/m/resnet50.onnx' } as const;

function live(options: TestSessionOptions = {}): TestSession {
  const bench = createTestSession({ models: [MODEL], ...options });
  bench.setStatus({ state: 'ok' });
  return bench;
}

describe('imports', () => {
  it('by path: the job has the attempt’s id, and the model is shown when it is ready', async () => {
    const { session, engine } = live();
    engine.script({ 'models.import': () => MODEL });
    const done = importFile(session, PATH);
    const [attempt] = session.library.getState().attempts;
    expect(attempt).toMatchObject({ title: 'resnet50.onnx', phase: 'importing' });
    await done;
    const request = engine.received.find((message) => message.request === 'models.import');
    expect(request?.input).toEqual({ jobId: attempt?.id, path: '/m/resnet50.onnx' });
    expect(session.library.getState()).toMatchObject({ attempts: [], selected: 'resnet50' });
  });

  it('of a browser’s file: uploads with progress, then imports what arrived', async () => {
    const phases: string[] = [];
    const { session, engine } = live({
      kind: 'browser',
      host: {
        upload: (file, onProgress) => {
          onProgress(7);
          phases.push(
            `${session.library.getState().attempts[0]?.phase} ${session.library.getState().attempts[0]?.sentBytes}`,
          );
          return Promise.resolve(`/staging/${file.name}`);
        },
      },
    });
    engine.script({ 'models.import': () => MODEL });
    await importFile(session, { kind: 'file', name: 'a.onnx', file: new File(['0123456'], 'a.onnx') });
    expect(phases).toEqual(['uploading 7']);
    expect(engine.received.find(({ request }) => request === 'models.import')?.input).toMatchObject({
      path: '/staging/a.onnx',
    });
  });

  it('that fail stay with their error; cancelled ones go', async () => {
    const { session, engine } = live();
    engine.script({
      'models.import': ({ path }) => {
        throw new SluiceError(path.includes('bad') ? 'bad-model' : 'cancelled', 'no');
      },
    });
    await importFile(session, { ...PATH, path: '/m/bad.onnx' });
    await importFile(session, PATH);
    expect(session.library.getState().attempts).toMatchObject([
      { phase: 'failed', error: { code: 'bad-model' } },
    ]);
  });

  it('can replace on request', async () => {
    const { session, engine } = live();
    engine.script({ 'models.import': () => MODEL });
    await importFile(session, PATH, true);
    expect(engine.received.find(({ request }) => request === 'models.import')?.input).toMatchObject({
      replace: true,
    });
  });

  it('an upload is cancelled here, a job by the engine', async () => {
    let aborted = false;
    const { session, engine } = live({
      kind: 'browser',
      host: {
        upload: (_file, _onProgress, signal) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted = true;
              reject(new SluiceError('cancelled', 'stopped'));
            });
          }),
      },
    });
    const done = importFile(session, { kind: 'file', name: 'a.onnx', file: new File([''], 'a.onnx') });
    await cancelWork(session, session.library.getState().attempts[0]?.id ?? '');
    await done;
    expect(aborted).toBe(true);
    await cancelWork(session, 'job-7');
    expect(engine.received.at(-1)).toMatchObject({ request: 'jobs.cancel', input: { jobId: 'job-7' } });
  });

  it('the example becomes the model to run', async () => {
    const { session, engine } = live();
    engine.script({ 'models.importExample': () => EXAMPLE_MODEL });
    await importExample(session);
    expect(session.layout.getState().model).toBe('text-reader');
  });
});

describe('checks and removals', () => {
  it('keep the report, or the failure, or nothing when cancelled', async () => {
    const { session, engine } = live();
    await verifyModel(session, 'resnet50');
    expect(session.library.getState().verifications['resnet50']).toMatchObject({
      state: 'done',
      report: { ok: true },
    });
    engine.script({
      'models.verify': () => {
        throw new SluiceError('cancelled', 'stopped');
      },
    });
    await verifyModel(session, 'resnet50');
    expect(session.library.getState().verifications).toEqual({});
  });

  it('a removal that fails says so and keeps the model in view', async () => {
    const { session, engine } = live();
    session.library.getState().actions.select('resnet50');
    engine.script({
      'models.remove': () => {
        throw new SluiceError('conflict', 'a run uses it');
      },
    });
    await removeModel(session, 'resnet50');
    expect(session.library.getState()).toMatchObject({
      selected: 'resnet50',
      removeError: { error: { code: 'conflict' } },
    });
    engine.script({ 'models.remove': () => REMOVED });
    await removeModel(session, 'resnet50');
    await vi.waitFor(() => expect(session.library.getState().selected).toBeUndefined());
    expect(session.library.getState().removeError).toBeUndefined();
  });

  it('a removal is undone in place, and the model is shown again', async () => {
    const { session, engine } = live();
    engine.emit('removed', [REMOVED]);
    expect(session.models.getState().removed).toEqual([REMOVED]);
    engine.script({
      'models.restore': () => {
        throw new SluiceError('conflict', 'there is another');
      },
    });
    await restoreModel(session, 'resnet50');
    expect(session.library.getState()).toMatchObject({ restoreError: { error: { code: 'conflict' } } });
    engine.script({ 'models.restore': () => MODEL });
    await restoreModel(session, 'resnet50');
    expect(session.library.getState()).toMatchObject({ selected: 'resnet50', restoreError: undefined });
  });

  it('giving up the undo tells the engine', async () => {
    const { session, engine } = live();
    engine.script({ 'models.discardRemoved': () => ({}) });
    await discardRemoved(session, 'resnet50');
    expect(engine.received.at(-1)?.request).toBe('models.discardRemoved');
  });
});

it('draws layers of no bytes as nothing and the largest at full height', () => {
  expect(layersPath([0, 100])).toContain('V56.0H');
  expect(layersPath([0, 100])).toContain('V0.0H999.0');
  expect(layersPath([])).toBe('');
});
