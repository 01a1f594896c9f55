import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { LabBrush, LabSearch } from '../../../contract';
import { labSearchHandlers as handlers } from '../../handlers/lab-searches';
import { openShelfLab, type ShelfLab } from '../test-support/shelf-lab';

/** Logs `--x` as the metric of step 1; with `--gate` it waits for the file first. */
const PROGRAM = `
import { existsSync } from 'node:fs';
const { argv, env } = process;
const given = (name) => argv[argv.indexOf('--' + name) + 1];
while (argv.includes('--gate') && !existsSync(given('gate'))) await new Promise((done) => setTimeout(done, 20));
const answer = await fetch(env.MLFLOW_TRACKING_URI + '/api/2.0/mlflow/runs/log-metric', {
  method: 'POST',
  body: JSON.stringify({ run_id: env.MLFLOW_RUN_ID, key: 'acc', value: Number(given('x')), timestamp: 1, step: 1 }),
});
if (!answer.ok) throw new Error(await answer.text());
`;
const SETTINGS = {
  space: {
    x: { type: 'float', min: 0.001, max: 0.1, scale: 'log' },
    layers: { type: 'int', min: 1, max: 8 },
    kind: { type: 'choice', values: ['sgd', 'adam'] },
    momentum: { type: 'float', min: 0, max: 1, when: { parameter: 'kind', is: 'sgd' } },
    epochs: 3,
  },
  metric: { name: 'acc', direction: 'max' },
  algorithm: 'random',
  maxResource: 1,
  budget: 2,
  first: [{ x: 0.05, kind: 'sgd' }, { x: 0.002 }],
};

let root: string;
let folder: string;
let at: ShelfLab;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-lab-searches-'));
  at = await openShelfLab(join(root, 'lab'));
  folder = at.folderOf({ 'train.mjs': PROGRAM });
});
afterAll(async () => {
  await at.close();
  rmSync(root, { recursive: true, force: true });
});

const start = (name: string, search: unknown = SETTINGS, args = ''): Promise<LabSearch> =>
  handlers['lab.startSearch'](
    {
      name,
      search: typeof search === 'string' ? search : JSON.stringify(search),
      trials: { folder, entry: 'train.mjs', args, resources: { memoryBytes: 2 ** 28 } },
    },
    at.link,
  );
const narrow = (id: string, brushes: readonly LabBrush[]): Promise<LabSearch> =>
  handlers['lab.narrowSearch']({ id, brushes }, at.linkOf('ben'));

/** Resolves when a search goes on no more. */
async function ended(id: string): Promise<LabSearch> {
  for (;;) {
    const search = await handlers['lab.search']({ id }, at.link);
    if (search.state !== 'running') return search;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('searches, as the console asks for them', () => {
  it('run, are listed, and go on within a part of their space', async () => {
    expect(await start('wide')).toMatchObject({ id: 'wide', state: 'running', user: 'ann' });
    const wide = await ended('wide');
    expect(wide).toMatchObject({
      state: 'done',
      algorithm: 'random',
      metric: { name: 'acc', direction: 'max' },
      entry: 'train.mjs',
      spentResource: 2,
      trialCount: 2,
      best: 0.05,
      bestTrial: 0,
      parameters: [
        { name: 'x', type: 'float', min: 0.001, max: 0.1, scale: 'log' },
        { name: 'layers', type: 'int', min: 1, max: 8, scale: 'linear' },
        { name: 'kind', type: 'choice', values: ['sgd', 'adam'] },
        { name: 'momentum', type: 'float' },
        { name: 'epochs', type: 'constant', values: [3] },
      ],
      trials: [
        { id: 0, metric: 0.05, best: 0.05, resource: 1, pool: 'finished', runName: 'ann/none/1' },
        { id: 1, metric: 0.002 },
      ],
    });
    const { trials: _, parameters: _parameters, ...summary } = wide;
    expect(await handlers['lab.searches']({}, at.link)).toEqual([summary]);

    // What it was packed from is gone.
    rmSync(folder, { recursive: true });
    const part = await narrow('wide', [
      { parameter: 'x', min: 0.01, max: 0.1000000000001 },
      { parameter: 'layers', min: 3.5, max: 4.2 },
      { parameter: 'kind', values: ['adam'] },
    ]);
    expect(part).toMatchObject({
      id: 'search-2',
      user: 'ben',
      algorithm: 'random',
      budget: 2,
      parameters: [
        { name: 'x', min: 0.01, max: 0.1, scale: 'log' },
        { name: 'layers', type: 'constant', values: [4] },
        { name: 'kind', type: 'constant', values: ['adam'] },
        { name: 'epochs', type: 'constant', values: [3] },
      ],
    });
    const narrowed = await ended('search-2');
    expect(narrowed).toMatchObject({ state: 'done', trials: [{ runName: 'ben/none/1' }, {}] });
    for (const { parameters } of narrowed.trials) {
      expect(parameters).toMatchObject({ layers: 4, kind: 'adam', epochs: 3 });
      expect(parameters['x']).toBeGreaterThanOrEqual(0.01);
    }
    await handlers['lab.removeSearch']({ id: 'search-2' }, at.link);
    expect((await handlers['lab.searches']({}, at.link)).map(({ id }) => id)).toEqual(['wide']);
    folder = at.folderOf({ 'train.mjs': PROGRAM });
  });

  it('are stopped, and then do not go on', async () => {
    await start('held', SETTINGS, `--gate '${join(root, 'gate')}'`);
    await expect(handlers['lab.removeSearch']({ id: 'held' }, at.link)).rejects.toThrow(/Stop it first/);
    expect(await handlers['lab.stopSearch']({ id: 'held' }, at.link)).toMatchObject({ state: 'stopped' });
    writeFileSync(join(root, 'gate'), '');
    await expect(handlers['lab.resumeSearch']({ id: 'held' }, at.link)).rejects.toThrow(/does not go on/);
  });

  it.each<[string, readonly LabBrush[], RegExp]>([
    ['no brush', [], /at least one brush/],
    [
      'an unknown parameter',
      [{ parameter: 'lr', min: 0, max: 1 }],
      /no parameter "lr" \(there are x, layers/,
    ],
    ['a constant', [{ parameter: 'epochs', values: [3] }], /epochs: it is a constant/],
    ['a part outside', [{ parameter: 'x', min: 0.01, max: 0.2 }], /x: expected a part of 0.001 to 0.1/],
    ['an empty range', [{ parameter: 'x', min: 0.01, max: 0.01 }], /x: expected more than one number/],
    ['a range upside down', [{ parameter: 'x', min: 0.02, max: 0.01 }], /x: expected min up to max/],
    ['no whole number', [{ parameter: 'layers', min: 1.2, max: 1.8 }], /no whole number from 1.2 to 1.8/],
    ['values of a number', [{ parameter: 'layers', values: [1] }], /layers: expected a range/],
    ['a range of values', [{ parameter: 'kind', min: 0, max: 1 }], /kind: expected some of its values/],
    ['an unknown value', [{ parameter: 'kind', values: ['lion'] }], /some of "sgd", "adam", found "lion"/],
    ['no value', [{ parameter: 'kind', values: [] }], /at least one of "sgd", "adam"/],
    [
      'two of one',
      [
        { parameter: 'x', min: 0.01, max: 0.02 },
        { parameter: 'x', min: 0.03, max: 0.04 },
      ],
      /x: expected one brush/,
    ],
    [
      'a part of what is not there',
      [
        { parameter: 'kind', values: ['adam'] },
        { parameter: 'momentum', min: 0.1, max: 0.2 },
      ],
      /momentum: it is there only for values of "kind"/,
    ],
  ])('refuse %s', async (_what, brushes, message) => {
    await expect(narrow('wide', brushes)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringMatching(message) as string,
    });
    expect(await handlers['lab.searches']({}, at.link)).not.toContainEqual(
      expect.objectContaining({ user: 'ben' }),
    );
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['what is no JSON', () => start('a', '{'), /The search: expected JSON/],
    ['another kind of JSON', () => start('a', '[]'), /expected an object/],
    ['a space with a fault', () => start('a', { ...SETTINGS, space: { x: { type: 'f' } } }), /space\.x/],
    ['an open quote', () => start('a', SETTINGS, "'"), /closing '/],
    ['a name that is taken', () => start('wide'), /"wide" already/],
    ['an unknown one', () => handlers['lab.search']({ id: 'none' }, at.link), /no search "none"/],
    [
      'a part of an unknown one',
      () => narrow('none', [{ parameter: 'x', min: 0, max: 1 }]),
      /no search "none"/,
    ],
  ])('refuse %s', async (_what, ask, message) => {
    await expect(ask()).rejects.toThrow(message);
  });
});
