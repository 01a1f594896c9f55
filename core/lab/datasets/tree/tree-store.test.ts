import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  chmodIn,
  makeTree,
  openTestLab,
  randomContent,
  treeOf,
  type TestLab,
  type TreePlan,
} from '../test-support/trees';
import { ChunkStore } from '../chunks/chunk-store';
import { chunksIn, type Manifest } from './manifest';
import { TreeStore } from './tree-store';
import { walkTree } from './walk-tree';

let root: string;
let lab: TestLab;
let count = 0;
const fresh = (): string => join(root, `case-${(count += 1)}`);
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-trees-'));
  lab = await openTestLab(join(root, 'lab'));
});
afterAll(() => {
  lab.database.close();
  rmSync(root, { recursive: true, force: true });
});

async function keep(folder: string): Promise<{ manifest: Manifest; newBytes: number }> {
  return lab.trees.keep(await walkTree(folder), [], ({ manifest, newBytes }) => ({ manifest, newBytes }));
}

const name = fc.stringMatching(/^[a-z]{1,3}$/);
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc
    .tuple(fc.integer({ min: 0, max: 6000 }), fc.integer())
    .map(([length, seed]) => randomContent(length, seed)),
);
/** Folders have names of their own, so that no path is a file and a folder. */
const plan: fc.Arbitrary<TreePlan> = fc
  .array(
    fc.record({
      folders: fc.array(
        name.map((text) => `${text}.d`),
        { maxLength: 3 },
      ),
      name,
      leaf: fc.oneof({ weight: 5, arbitrary: content }, { weight: 1, arbitrary: fc.constant(null) }),
    }),
    { maxLength: 12 },
  )
  .map((leaves) =>
    Object.fromEntries(
      leaves.map(({ folders, name, leaf }) => [
        [...folders, leaf === null ? `${name}.d` : name].join('/'),
        leaf,
      ]),
    ),
  );

describe('a kept tree', () => {
  it('comes back as it was, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(plan, fc.integer({ min: 0, max: 0o777 }), async (files, mode) => {
        const source = makeTree(fresh(), files);
        const [some] = readdirSync(source);
        if (some !== undefined) chmodIn(source, some, mode | 0o700);
        const target = fresh();
        const { manifest } = await keep(source);
        await lab.trees.restore(manifest, target);
        expect(treeOf(target)).toEqual(treeOf(source));
        expect(await lab.trees.verify(manifest)).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  it('shares with its next version all chunks but those of the edits', async () => {
    const edit = fc.record({ at: fc.nat(29_999), put: fc.uint8Array({ minLength: 1, maxLength: 40 }) });
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(edit, { minLength: 1, maxLength: 3 }), async (seed, edits) => {
        const source = fresh();
        const before = randomContent(30_000, seed);
        makeTree(source, { data: before, same: 'same' });
        const first = await keep(source);
        const after = edits.reduce<Buffer>(
          (bytes, { at, put }) => Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at)]),
          before,
        );
        writeFileSync(join(source, 'data'), after);
        const second = await keep(source);
        const known = chunksIn(first.manifest);
        const fresher = [...chunksIn(second.manifest).keys()].filter((hash) => !known.has(hash));
        expect(fresher.length).toBeLessThanOrEqual(20 * edits.length);
        expect(second.newBytes).toBeLessThan(after.length / 2);
        expect((await keep(source)).newBytes).toBe(0);
      }),
      { numRuns: 8 },
    );
  });

  it('keeps modes, empty folders and links inside', async () => {
    const source = makeTree(fresh(), {
      'run.sh': '#!/bin/sh',
      'a/b/c': null,
      'a/link': '->../run.sh',
      'a/folder': '->b',
      'a/nowhere': '->not-there',
      empty: '',
    });
    chmodIn(source, 'run.sh', 0o755);
    chmodIn(source, 'empty', 0o400);
    chmodIn(source, 'a/b', 0o555);
    const target = fresh();
    await lab.trees.restore((await keep(source)).manifest, target);
    expect(treeOf(target)).toEqual(treeOf(source));
    expect(treeOf(target)['a/b']).toBe('folder 555');
  });

  it('is one file, too', async () => {
    const source = makeTree(fresh(), { 'one.csv': 'a,b', 'other.csv': '' });
    const target = fresh();
    await lab.trees.restore((await keep(join(source, 'one.csv'))).manifest, target);
    expect(readdirSync(target)).toEqual(['one.csv']);
  });

  it.each([
    ['out', '->../outside', /"link", a link to "\.\.\/outside": its target leaves the folder/],
    ['to an absolute path', '->/etc/passwd', /its target is absolute/],
  ])('refuses a link %s', async (_what, target, message) => {
    const source = makeTree(fresh(), { link: target });
    await expect(keep(source)).rejects.toThrow(message);
  });

  it('refuses what is no file, and names that are one where case is ignored, all at once', async () => {
    const source = makeTree(fresh(), { 'Read.me': '', 'read.me': '' });
    execFileSync('mkfifo', [join(source, 'pipe')]);
    await expect(keep(source)).rejects.toThrow(
      /refused: "pipe": it is neither a file, a folder nor a link; "read.me": it is "Read.me" where case is ignored/,
    );
  });

  it('can be stopped, and nothing is left behind in the folder', async () => {
    const source = makeTree(fresh(), { a: randomContent(50_000, 1), b: randomContent(50_000, 2) });
    const stop = new AbortController();
    const work = { signal: stop.signal, onProgress: () => stop.abort() };
    await expect(lab.trees.keep(await walkTree(source), [], () => 0, work)).rejects.toMatchObject({
      code: 'cancelled',
    });
    const { manifest } = await keep(source);
    const again = new AbortController();
    const target = fresh();
    const restoring = lab.trees.restore(manifest, target, {
      signal: again.signal,
      onProgress: () => again.abort(),
    });
    await expect(restoring).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(root).filter((found) => found.startsWith(target.split('/').at(-1)!))).toEqual([]);
  });

  it('is not written over what is there', async () => {
    const source = makeTree(fresh(), { a: 'a' });
    await expect(lab.trees.restore((await keep(source)).manifest, source)).rejects.toThrow(
      /expected no folder or an empty one, found 1 files in it/,
    );
  });

  it.skipIf(process.getuid?.() !== 0)(
    'says when a disk is too small, for it and for its chunks',
    async () => {
      const disk = fresh();
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk], { stdio: 'ignore' });
      try {
        const source = makeTree(fresh(), { data: randomContent(4_000_000, 3) });
        const trees = new TreeStore(lab.trees.chunks);
        const manifest = await trees.keep(await walkTree(source), [], (kept) => kept.manifest);
        await expect(lab.trees.restore(manifest, join(disk, 'target'))).rejects.toThrow(
          /it takes 3.81 MiB, and the disk has .* left/,
        );
        // Chunks of it alone: an open database would keep the disk from being taken away.
        const small = await ChunkStore.open(join(disk, 'store'));
        const keeping = new TreeStore(small).keep(await walkTree(source), [], () => 0);
        await expect(keeping).rejects.toMatchObject({ code: 'io', details: { errno: 'ENOSPC' } });
        const staged = join(disk, 'store', 'staged');
        expect(readdirSync(staged).flatMap((one) => readdirSync(join(staged, one)))).toEqual([]);
      } finally {
        execFileSync('umount', [disk]);
      }
    },
  );
});
