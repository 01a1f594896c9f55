import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { ArtifactStore } from './artifact-store';

let folder: string;
let store: ArtifactStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-artifacts-'));
  store = await ArtifactStore.open(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));

async function* content(...chunks: string[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}
const names = (path: string) => path.split('/');
const put = (path: string, ...chunks: string[]) => store.write(names(path), content(...chunks));
const uploads = () => readdirSync(join(folder, 'artifact-uploads'));

describe('ArtifactStore', () => {
  it('keeps what is written and replaces it whole', async () => {
    expect(await put('0/run/artifacts/model/weights.bin', 'one ', 'two')).toBe(7);
    expect(await put('0/run/artifacts/model/weights.bin', 'three')).toBe(5);
    const artifact = await store.read(names('0/run/artifacts/model/weights.bin'));
    expect(artifact).toMatchObject({ sizeBytes: 5, contentType: 'application/octet-stream' });
    expect(await text(artifact.stream({ first: 1, last: 3 }))).toBe('hre');
    expect(uploads()).toEqual([]);
  });

  it('lists one level, or all', async () => {
    for (const path of ['0/r/b.txt', '0/r/a/deep/x', '0/r/a/y', '0/r/c']) await put(path, path);
    expect(await store.list(['0', 'r'])).toEqual([
      { path: 'a', isFolder: true, sizeBytes: 0 },
      { path: 'b.txt', isFolder: false, sizeBytes: 9 },
      { path: 'c', isFolder: false, sizeBytes: 5 },
    ]);
    const all = await store.list(['0', 'r'], true);
    expect(all.map(({ path }) => path)).toEqual(['a', 'a/deep', 'a/deep/x', 'a/y', 'b.txt', 'c']);
    expect(await store.list(['0', 'r', 'c'])).toEqual([]);
    expect(await store.list(['no', 'such'])).toEqual([]);
    expect((await store.list([])).map(({ path }) => path)).toEqual(['0']);
  });

  it('removes files and folders', async () => {
    for (const path of ['0/r/a/x', '0/r/a/y', '0/r/b']) await put(path, path);
    await store.remove(['0', 'r', 'b']);
    await store.remove(['0', 'r', 'a']);
    expect(await store.list(['0', 'r'], true)).toEqual([]);
    expect(uploads()).toEqual([]);
  });

  it.each([
    ['read', 'not-found', 'no/such', () => store.read(['no', 'such'])],
    ['read', 'not-found', 'below a file', () => store.read(['0', 'file', 'below'])],
    ['read', 'bad-input', 'a folder', () => store.read(['0'])],
    ['remove', 'not-found', 'no/such', () => store.remove(['no', 'such'])],
    ['remove', 'not-found', 'below a file', () => store.remove(['0', 'file', 'below'])],
    ['remove', 'bad-input', 'the store', () => store.remove([])],
    ['write', 'bad-input', 'the store', () => store.write([], content('x'))],
    ['write', 'bad-input', 'a folder', () => store.write(['0'], content('x'))],
    ['write', 'bad-input', 'below a file', () => store.write(['0', 'file', 'below'], content('x'))],
  ])('can not %s, %s: %s', async (_what, code, _path, attempt) => {
    await put('0/file', 'kept');
    await expect(attempt()).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/^Artifact path "/) as string,
    });
    expect(readFileSync(join(folder, 'artifacts', '0', 'file'), 'utf8')).toBe('kept');
    expect(uploads()).toEqual([]);
  });

  it('keeps nothing of an upload that is cut off, and what was there before', async () => {
    await put('0/file', 'before');
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield* content('half of ');
      throw new Error('connection lost');
    }
    await expect(store.write(['0', 'file'], broken())).rejects.toThrow(
      "Can't store artifact 0/file: connection lost.",
    );
    await expect(store.write(['0', 'other'], broken())).rejects.toThrow('connection lost');
    expect((await store.list(['0'])).map(({ path }) => path)).toEqual(['file']);
    expect(await text((await store.read(['0', 'file'])).stream())).toBe('before');
    expect(uploads()).toEqual([]);
  });

  it('clears away what the end of a process left', async () => {
    writeFileSync(join(folder, 'artifact-uploads', '1.tmp'), 'half');
    mkdirSync(join(folder, 'artifact-uploads', '2.tmp', 'deep'), { recursive: true });
    await ArtifactStore.open(folder);
    expect(uploads()).toEqual([]);
  });

  it('gives each of many uploads at once its own place, and one of a path', async () => {
    const contents = Array.from({ length: 20 }, (_, i) => `content ${i}`);
    await Promise.all(contents.map((chunk) => put('0/same', chunk)));
    await Promise.all(contents.map((chunk, i) => put(`0/many/${i}`, chunk)));
    expect(contents).toContain(await text((await store.read(['0', 'same'])).stream()));
    expect(await store.list(['0', 'many'])).toHaveLength(20);
  });

  it('follows no link, wherever it leads', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'sluice-outside-'));
    try {
      writeFileSync(join(outside, 'secret'), 'secret');
      await put('0/inside/file', 'kept');
      symlinkSync(outside, join(folder, 'artifacts', '0', 'out'));
      symlinkSync(join(outside, 'secret'), join(folder, 'artifacts', '0', 'file'));
      symlinkSync(join(folder, 'artifacts', '0', 'inside'), join(folder, 'artifacts', '0', 'in'));
      const attempts = [
        () => store.read(['0', 'out', 'secret']),
        () => store.read(['0', 'file']),
        () => store.read(['0', 'in', 'file']),
        () => store.write(['0', 'out', 'new'], content('x')),
        () => store.write(['0', 'file'], content('x')),
        () => store.list(['0', 'out']),
        () => store.remove(['0', 'out', 'secret']),
        () => store.remove(['0', 'out']),
      ];
      for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: 'bad-input' });
      expect((await store.list(['0'], true)).map(({ path }) => path)).toEqual(['inside', 'inside/file']);
      await store.remove(['0']);
      expect(readdirSync(outside)).toEqual(['secret']);
      expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    } finally {
      rmSync(outside, { recursive: true });
    }
  });

  it('says so when the disk is full, and keeps nothing of it', async (context) => {
    const disk = join(folder, 'small');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      context.skip('a small disk can be mounted by root only');
    }
    try {
      const small = await ArtifactStore.open(disk);
      await small.write(['0', 'fits'], content('kept'));
      const large = content(...Array.from({ length: 80 }, () => 'x'.repeat(4096)));
      await expect(small.write(['0', 'large'], large)).rejects.toMatchObject({
        code: 'io',
        message: expect.stringMatching(/^Can't store artifact 0\/large: the disk is full/) as string,
        details: { errno: 'ENOSPC' },
      });
      expect(readdirSync(join(disk, 'artifact-uploads'))).toEqual([]);
      await small.write(['0', 'next'], content('fits again'));
      expect(await small.list(['0'])).toHaveLength(2);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});
