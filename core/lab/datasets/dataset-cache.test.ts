import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { DatasetCache } from './dataset-cache';
import { makeTree, openTestLab, randomContent, type TestLab } from './test-support/trees';
import type { Manifest } from './tree/manifest';

const ANN = { name: 'ann' };
let root: string;
let lab: TestLab;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-dataset-cache-'));
  lab = await openTestLab(join(root, 'lab'));
});
afterAll(() => {
  lab.database.close();
  rmSync(root, { recursive: true, force: true });
});

async function manifestOf(name: string, byteLength: number): Promise<Manifest> {
  await lab.datasets.push(
    ANN,
    name,
    makeTree(join(root, name), { 'a/data': randomContent(byteLength, byteLength) }),
  );
  return lab.datasets.manifest(ANN, name, 'latest');
}

const openCache = (folder: string, maxBytes = 1e6): DatasetCache =>
  new DatasetCache({ folder: join(root, folder), trees: lab.trees, maxBytes });

describe('DatasetCache', () => {
  it('gives several jobs one read-only folder', async () => {
    const cache = openCache('shared');
    const manifest = await manifestOf('one', 2000);
    const folders = await Promise.all(['job-1', 'job-2'].map((holder) => cache.hold(manifest, holder)));
    expect(new Set(folders).size).toBe(1);
    const file = join(folders[0]!, 'a/data');
    expect(readFileSync(file).equals(readFileSync(join(root, 'one/a/data')))).toBe(true);
    expect(statSync(file).mode & 0o222).toBe(0);
    expect(statSync(join(folders[0]!, 'a')).mode & 0o222).toBe(0);
    expect(await cache.held()).toHaveLength(1);
    const { ino } = statSync(file);
    await cache.hold(manifest, 'job-3');
    expect(statSync(file).ino).toBe(ino);
  });

  it.each<[string, (tree: string) => void]>([
    ['writes into a file', (tree) => writeFileSync(join(tree, 'a/data'), randomContent(2000, 1))],
    ['adds a file', (tree) => writeFileSync(join(tree, 'a/more'), '')],
    ['removes a file', (tree) => rmSync(join(tree, 'a/data'))],
  ])('writes a folder anew after a job that %s', async (_what, damage) => {
    const cache = openCache('damaged');
    const manifest = await manifestOf('one', 2000);
    const tree = await cache.hold(manifest, 'job-1');
    chmodSync(join(tree, 'a'), 0o700);
    chmodSync(join(tree, 'a/data'), 0o600);
    damage(tree);
    await cache.hold(manifest, 'job-2');
    expect(readFileSync(join(tree, 'a/data')).equals(readFileSync(join(root, 'one/a/data')))).toBe(true);
    expect(existsSync(join(tree, 'a/more'))).toBe(false);
    expect(await lab.datasets.verify(ANN, 'one', '1')).toEqual([]);
  });

  it('makes room by what was not used for longest and nobody holds', async () => {
    const cache = openCache('small', 5000);
    const [a, b, c] = [await manifestOf('a', 2000), await manifestOf('b', 2001), await manifestOf('c', 2002)];
    const held = await cache.hold(a, 'job-a');
    const idle = await cache.hold(b, 'job-b');
    await cache.release('job-b');
    const last = await cache.hold(c, 'job-c');
    expect([held, idle, last].map((tree) => existsSync(tree))).toEqual([true, false, true]);
  });

  it('refuses a holder that is no name', async () => {
    await expect(openCache('x').hold(await manifestOf('one', 2000), '../x')).rejects.toThrow(
      /letters, digits/,
    );
  });
});
