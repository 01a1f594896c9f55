import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { chmodIn, makeTree, openTestLab, treeOf, type TestLab } from '../test-support/trees';
import { Snapshots } from './snapshots';

let root: string;
let lab: TestLab;
let snapshots: Snapshots;
let count = 0;
const fresh = (): string => join(root, `case-${(count += 1)}`);
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-snapshots-'));
  lab = await openTestLab(join(root, 'lab'));
  snapshots = new Snapshots(lab.database, lab.trees);
});
afterAll(() => {
  lab.database.close();
  rmSync(root, { recursive: true, force: true });
});

describe('Snapshots', () => {
  it('takes what the ignore file leaves and restores it as it was', async () => {
    const folder = makeTree(fresh(), {
      '.sluiceignore': '*.log\n!keep.log\n/data/\n# a comment\ndocs/**/*.pdf\n',
      'train.py': 'print()',
      'a.log': '',
      'keep.log': '',
      'data/big': 'big',
      'src/data/small': 'small',
      'docs/deep/a.pdf': '',
      'docs/deep/a.md': '',
      '.git/HEAD': '',
      'node_modules/x/index.js': '',
      empty: null,
      link: '->src/data',
    });
    chmodIn(folder, 'train.py', 0o755);
    const taken = await snapshots.take(folder, 'run-1');
    expect(snapshots.of('run-1')).toEqual(taken);
    const target = fresh();
    await snapshots.restore('run-1', target);
    const left = /^(a\.log|data(\/.*)?|docs\/deep\/a\.pdf|\.git(\/.*)?|node_modules(\/.*)?)$/;
    const kept = Object.entries(treeOf(folder)).filter(([path]) => !left.test(path));
    expect(treeOf(target)).toEqual(Object.fromEntries(kept));
  });

  it('takes back what is always ignored when the file says so', async () => {
    const folder = makeTree(fresh(), { '.sluiceignore': '!node_modules/', 'node_modules/x': 'x' });
    expect(await snapshots.take(folder, 'run-2')).toMatchObject({ files: 2 });
  });

  it('does not look into links or at what they point to, and refuses those that leave', async () => {
    const folder = makeTree(fresh(), { 'a/out': '->../../elsewhere', 'b/abs': '->/etc' });
    await expect(snapshots.take(folder, 'run-3')).rejects.toThrow(
      /"a\/out", a link to .*: its target leaves the folder; "b\/abs".*: its target is absolute/,
    );
    makeTree(folder, { '.sluiceignore': 'a/out\nb/' });
    expect(await snapshots.take(folder, 'run-3')).toMatchObject({ files: 1 });
  });

  it('names the largest files of a folder that is too large', async () => {
    const folder = makeTree(fresh(), {
      'model.bin': Buffer.alloc(3000),
      'b.bin': Buffer.alloc(2000),
      c: 'c',
    });
    await expect(snapshots.take(folder, 'run-4', { limitBytes: 4096 })).rejects.toThrow(
      /expected at most 4.00 KiB .*, found 4.88 KiB\. The largest: "model.bin" \(2.93 KiB\), "b.bin" .*\.sluiceignore/,
    );
    expect(snapshots.of('run-4')).toBeUndefined();
  });

  it('is kept for a fork when the run is gone, and collected when nobody is left', async () => {
    const folder = makeTree(fresh(), { 'only.py': 'only here' });
    const taken = await snapshots.take(folder, 'run-5');
    expect(snapshots.share('run-5', 'fork-5')).toEqual(taken);
    snapshots.drop('run-5');
    await lab.datasets.collect({ graceMs: -60_000 });
    await snapshots.restore('fork-5', fresh());
    snapshots.drop('fork-5');
    expect(await lab.datasets.collect({ graceMs: -60_000 })).toMatchObject({ removedChunks: 2 });
    await expect(snapshots.restore('fork-5', fresh())).rejects.toThrow(
      /no snapshot of a working folder for fork-5/,
    );
  });
});
