import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { labDatasetHandlers as handlers } from '../../handlers/lab-datasets';
import { openShelfLab, type ShelfLab } from '../test-support/shelf-lab';

let root: string;
let at: ShelfLab;
const FILES = { 'train/a.csv': 'id,x\n1,2\n', 'train/b.csv': 'id,x\n', 'answers/a.csv': 'id,answer\n1,3\n' };

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-lab-datasets-'));
  at = await openShelfLab(join(root, 'lab'));
});
afterAll(async () => {
  await at.close();
  rmSync(root, { recursive: true, force: true });
});

const push = (name: string, folder: string, jobId = `push-${name}`) =>
  handlers['lab.pushDataset']({ jobId, name, folder, note: 'first' }, at.link);
/** Each phase and state once. */
const toldOf = (id: string): string[] => [
  ...new Set(at.told.filter((job) => job.id === id).map(({ phase, state }) => `${phase} ${state}`)),
];

describe('datasets, as the console asks for them', () => {
  it('are pushed, looked at, described, and removed', async () => {
    const folder = at.folderOf(FILES);
    const pushed = await push('digits', folder);
    expect(pushed).toMatchObject({
      name: 'digits',
      owner: 'ann',
      visibility: 'private',
      versions: [{ number: 1, files: 3, note: 'first', hasHidden: false }],
    });
    expect(toldOf('push-digits')).toEqual(['start running', 'read running', 'send running', 'send done']);
    writeFileSync(join(folder, 'more.csv'), 'x');
    expect(await push('digits', folder, 'again')).toMatchObject({ versions: [{ number: 2 }, { number: 1 }] });
    const edit = { name: 'digits', visibility: 'shared', description: 'of ten', tags: ['small'] } as const;
    const edited = await handlers['lab.editDataset'](edit, at.link);
    expect(edited).toMatchObject({ visibility: 'shared', description: 'of ten', tags: ['small'] });
    expect(await handlers['lab.datasets']({}, at.linkOf('ben'))).toEqual([edited]);
    await handlers['lab.removeDatasetVersion']({ name: 'digits', version: 1 }, at.link);
    const [left] = await handlers['lab.datasets']({}, at.link);
    expect(left?.versions.map(({ number }) => number)).toEqual([2]);
  });

  it('list hidden files to their owner alone', async () => {
    const options = { hidden: ['answers/'], visibility: 'shared' } as const;
    await at.lab.datasets.push({ name: 'ann' }, 'secret', at.folderOf(FILES), options);
    const input = { name: 'secret', version: 1 };
    const own = await handlers['lab.datasetFiles'](input, at.link);
    expect(own).toContainEqual({ path: 'answers/a.csv', bytes: 14, isHidden: true });
    expect(own).toContainEqual({ path: 'train/b.csv', bytes: 5, isHidden: false });
    const others = await handlers['lab.datasetFiles'](input, at.linkOf('ben'));
    expect(others.map(({ path }) => path)).toEqual(['train/a.csv', 'train/b.csv']);
    const all = await handlers['lab.datasets']({}, at.linkOf('ben'));
    expect(all.find(({ name }) => name === 'secret')?.versions).toMatchObject([{ hasHidden: true }]);
  });

  it('are verified: what the disk has changed is told by file', async () => {
    await push('whole', at.folderOf({ 'a.txt': 'one of a kind', 'b/c.txt': 'one of a kind', 'd.txt': 'd' }));
    const input = { name: 'whole', version: 1 };
    const found = await handlers['lab.verifyDataset']({ jobId: 'v1', ...input }, at.link);
    expect(found).toEqual({ bytes: 27, faults: [] });
    expect(toldOf('v1')).toEqual(['start running', 'read running', 'read done']);
    damage('one of a kind');
    const after = await handlers['lab.verifyDataset']({ jobId: 'v2', ...input }, at.link);
    expect(after.faults).toEqual([
      expect.stringMatching(/^damaged: a\.txt, b\/c\.txt \(chunk [0-9a-f]{12}\)$/),
    ]);
  });

  it('stop being pushed or verified when the job is cancelled', async () => {
    const folder = at.folderOf(FILES);
    const pushing = push('never', folder, 'cancelled-push');
    await untilTold('cancelled-push');
    at.link.jobs.cancel('cancelled-push');
    await expect(pushing).rejects.toMatchObject({ code: 'cancelled' });
    expect(toldOf('cancelled-push').at(-1)).toMatch(/cancelled$/);
    expect((await handlers['lab.datasets']({}, at.link)).map(({ name }) => name)).not.toContain('never');
  });

  it('are collected when nothing refers to them', async () => {
    await push('passing', at.folderOf({ 'big.txt': 'x'.repeat(5000) }));
    at.makeChunksOld();
    const before = await handlers['lab.collectDatasets']({}, at.link);
    await handlers['lab.removeDatasetVersion']({ name: 'passing', version: 1 }, at.link);
    const { freedBytes } = await handlers['lab.collectDatasets']({}, at.link);
    expect(before.freedBytes).toBeLessThan(5000);
    expect(freedBytes).toBeGreaterThan(5000);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['a name that is none', () => push('A b', root), /Dataset "A b"/],
    ['a folder that is not there', () => push('x', join(root, 'no')), /no/],
    [
      'an unknown version',
      () => handlers['lab.datasetFiles']({ name: 'digits', version: 9 }, at.link),
      /digits has no version "9"/,
    ],
    [
      'an edit by another',
      () => handlers['lab.editDataset']({ name: 'digits', description: 'mine' }, at.linkOf('ben')),
      /belongs to ann/,
    ],
    [
      'a verification by another',
      () => handlers['lab.verifyDataset']({ jobId: 'v3', name: 'digits', version: 2 }, at.linkOf('ben')),
      /belongs to ann/,
    ],
    [
      'a removal by another',
      () => handlers['lab.removeDatasetVersion']({ name: 'digits', version: 2 }, at.linkOf('ben')),
      /belongs to ann/,
    ],
  ])('refuse %s', async (_what, ask, message) => {
    await expect(ask()).rejects.toThrow(message);
  });
});

/** Resolves when a job of that id runs. */
async function untilTold(id: string): Promise<void> {
  while (!at.told.some((job) => job.id === id)) await new Promise(setImmediate);
}

/** Changes the only chunk with this content where it is stored. */
function damage(content: string): void {
  const chunks = join(at.folder, 'data', 'chunks');
  const paths = readdirSync(chunks).flatMap((prefix) =>
    readdirSync(join(chunks, prefix)).map((hash) => join(chunks, prefix, hash)),
  );
  const path = paths.find((one) => readFileSync(one, 'utf8') === content)!;
  chmodSync(path, 0o644);
  writeFileSync(path, content.replace('k', 'm'));
}
