import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { parseDatasetRef } from './dataset-types';
import { makeTree, openTestLab, randomContent, treeOf, type TestLab } from './test-support/trees';

const ANN = { name: 'ann' };
const BOB = { name: 'bob' };
const JUDGE = { name: 'judge', isEvaluator: true };

let root: string;
let lab: TestLab;
let count = 0;
const fresh = (): string => join(root, `case-${(count += 1)}`);
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-datasets-'));
  lab = await openTestLab(join(root, 'lab'));
});
afterAll(() => {
  lab.database.close();
  rmSync(root, { recursive: true, force: true });
});

describe('Datasets', () => {
  it('numbers versions, finds an unchanged one again, and tells what changed', async () => {
    const source = makeTree(fresh(), { 'a.csv': '1', 'b/c.csv': '2', gone: '' });
    const first = await lab.datasets.push(ANN, 'numbers', source, { note: 'the first', tags: ['csv'] });
    expect(first).toMatchObject({
      version: { number: 1, files: 3, bytes: 2, note: 'the first' },
      newBytes: 2,
    });
    expect(await lab.datasets.push(ANN, 'numbers', source)).toEqual({ ...first, newChunks: 0, newBytes: 0 });
    rmSync(join(source, 'gone'));
    makeTree(source, { 'a.csv': '10', new: 'n' });
    const second = await lab.datasets.push(ANN, 'numbers', source);
    expect(second.version.number).toBe(2);
    expect(await lab.datasets.diff(ANN, 'numbers', '1', 'latest')).toEqual({
      added: ['new'],
      removed: ['gone'],
      changed: ['a.csv'],
      newBytes: 3,
    });
    expect(lab.datasets.get(ANN, 'numbers').versions.map(({ number }) => number)).toEqual([2, 1]);
    expect(lab.datasets.catalog.version(ANN, 'numbers', first.version.hash.slice(0, 12)).number).toBe(1);
  });

  it('shows private ones to their owner alone', async () => {
    const source = makeTree(fresh(), { a: 'a' });
    await lab.datasets.push(ANN, 'secret', source, { description: 'of Ann' });
    await expect(lab.datasets.manifest(BOB, 'secret', '1')).rejects.toThrow(/There is no dataset "secret"/);
    await expect(lab.datasets.push(BOB, 'secret', source)).rejects.toMatchObject({ code: 'conflict' });
    expect(lab.datasets.list(BOB, 'of ann')).toEqual([]);
    lab.datasets.edit(ANN, 'secret', { visibility: 'shared', tags: ['Open', 'open', 'x'] });
    expect(lab.datasets.list(BOB, 'OPEN')).toMatchObject([{ name: 'secret', tags: ['Open', 'open', 'x'] }]);
    expect(() => lab.datasets.edit(BOB, 'secret', { visibility: 'private' })).toThrow(/belongs to ann/);
    expect(() => lab.datasets.removeVersion(BOB, 'secret', '1')).toThrow(/belongs to ann/);
    await expect(lab.datasets.verify(BOB, 'secret', '1')).rejects.toThrow(/belongs to ann/);
  });

  it.each(["'; DROP TABLE datasets_sets; --", '%', '_', '\\'])('searches for %j as it is', (text) => {
    expect(lab.datasets.list(ANN, text)).toEqual([]);
  });

  it('names what there is', async () => {
    await lab.datasets.push(BOB, 'bobs', makeTree(fresh(), { a: 'a' }));
    await lab.datasets.push(BOB, 'bobs', makeTree(fresh(), { a: 'b' }));
    await expect(lab.datasets.manifest(BOB, 'bob', '1')).rejects.toThrow(
      /no dataset "bob"\. There are .*bobs/,
    );
    await expect(lab.datasets.manifest(BOB, 'bobs', '7')).rejects.toThrow(
      /no version "7"\. There are 2 \(.*\), 1 \(/,
    );
  });

  it.each(['', 'Upper', '../up', 'a b', '-a', 'x'.repeat(101)])('refuses the name %j', async (name) => {
    await expect(lab.datasets.push(ANN, name, root)).rejects.toMatchObject({ code: 'bad-input' });
  });

  it('leaves out hidden parts unless the evaluator asks', async () => {
    const source = makeTree(fresh(), { 'train.csv': '1', 'hidden/answers.csv': '42' });
    const pushed = await lab.datasets.push(ANN, 'contest', source, {
      hidden: ['hidden/'],
      visibility: 'shared',
    });
    expect(pushed.version.publicHash).not.toBe(pushed.version.hash);
    const open = fresh();
    await lab.datasets.materialise(BOB, 'contest', 'latest', open);
    expect(Object.keys(treeOf(open))).toEqual(['train.csv']);
    const asked = lab.datasets.materialise(BOB, 'contest', 'latest', fresh(), { withHidden: true });
    await expect(asked).rejects.toMatchObject({ code: 'unauthorized' });
    const judged = fresh();
    await lab.datasets.materialise(JUDGE, 'contest', 'latest', judged, { withHidden: true });
    expect(treeOf(judged)).toEqual(treeOf(source));
    await expect(lab.datasets.push(ANN, 'contest', source, { hidden: ['hiden/'] })).rejects.toThrow(
      /expected a folder "hiden\/" to hide, found none/,
    );
  });

  it('names damaged files, and heals when they are pushed again', async () => {
    const source = makeTree(fresh(), { 'data.bin': randomContent(5000, 9), fine: 'fine' });
    await lab.datasets.push(ANN, 'fragile', source);
    const { entries } = await lab.datasets.manifest(ANN, 'fragile', '1');
    const [data] = entries;
    const [hash] = data?.type === 'file' ? data.chunks[1]! : [''];
    const path = lab.trees.chunks.pathOf(hash);
    chmodSync(path, 0o600);
    writeFileSync(path, Buffer.alloc(300));
    await expect(lab.datasets.materialise(ANN, 'fragile', '1', fresh())).rejects.toMatchObject({
      code: 'corrupt-store',
    });
    const damaged = [{ hash, fault: 'damaged', paths: ['data.bin'] }];
    expect(await lab.datasets.verify(ANN, 'fragile', '1')).toEqual(damaged);
    expect(await lab.datasets.verify(ANN, 'fragile', '1')).toEqual([{ ...damaged[0], fault: 'missing' }]);
    expect(await lab.datasets.push(ANN, 'fragile', source)).toMatchObject({
      version: { number: 1 },
      newChunks: 1,
    });
    expect(await lab.datasets.verify(ANN, 'fragile', '1')).toEqual([]);
  });

  it('collects what a removed version alone had, and never gives its number again', async () => {
    const source = makeTree(fresh(), { shared: randomContent(2000, 11), one: randomContent(2000, 12) });
    await lab.datasets.push(ANN, 'dropped', source);
    rmSync(join(source, 'one'));
    await lab.datasets.push(ANN, 'dropped', source);
    lab.datasets.removeVersion(ANN, 'dropped', '1');
    expect(await lab.datasets.collect()).toMatchObject({ removedChunks: 0 });
    const { removedBytes } = await lab.datasets.collect({ graceMs: -60_000 });
    expect(removedBytes).toBeGreaterThanOrEqual(2000);
    expect(await lab.datasets.verify(ANN, 'dropped', '2')).toEqual([]);
    writeFileSync(join(source, 'one'), 'another');
    expect((await lab.datasets.push(ANN, 'dropped', source)).version.number).toBe(3);
  });
});

describe('parseDatasetRef', () => {
  it.each([
    ['cars', { name: 'cars', version: 'latest' }],
    ['cars@3', { name: 'cars', version: '3' }],
  ])('reads %s', (text, ref) => {
    expect(parseDatasetRef(text)).toEqual(ref);
  });
});
