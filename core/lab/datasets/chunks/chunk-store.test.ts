import { mkdtempSync, readdirSync, rmSync, writeFileSync, chmodSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, describe, expect, it } from 'vitest';

import { sha256Hex } from '../../../storage';
import { ChunkStore } from './chunk-store';

const folder = mkdtempSync(join(tmpdir(), 'sluice-chunks-'));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
const openStore = (): Promise<ChunkStore> => ChunkStore.open(join(folder, `store-${(count += 1)}`));
const HELLO = Buffer.from('hello');
const HASH = sha256Hex(HELLO);

describe('ChunkStore', () => {
  it('gives back what it was given, and stores it once', async () => {
    const store = await openStore();
    expect(await store.put(HASH, HELLO)).toBe('stored');
    expect(await store.put(HASH, HELLO)).toBe('known');
    expect((await store.read(HASH)).toString()).toBe('hello');
    await store.sync();
    expect(readdirSync(store.folderOf(HASH.slice(0, 2)))).toEqual([HASH]);
  });

  it('stores a content once however many writers bring it', async () => {
    const store = await openStore();
    const other = await ChunkStore.open(store.root);
    const outcomes = await Promise.all([store, store, other, store].map((one) => one.put(HASH, HELLO)));
    expect(outcomes.filter((outcome) => outcome === 'known').length).toBeGreaterThanOrEqual(2);
    expect((await store.read(HASH)).toString()).toBe('hello');
  });

  it('refuses bytes that are not what their hash says', async () => {
    const store = await openStore();
    await expect(store.put(HASH, Buffer.from('hullo'))).rejects.toThrow(
      /Chunk 2cf24d.*: expected the content of this SHA-256, found .* of 5 bytes/,
    );
    expect(await store.touch(HASH)).toBe(false);
  });

  it('says that a content is not there', async () => {
    const store = await openStore();
    await expect(store.read(HASH)).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['other bytes', 'hullo', 'known'],
    ['too few bytes', 'he', 'stored'],
  ])('finds %s on the disk', async (_what, found, again) => {
    const store = await openStore();
    await store.put(HASH, HELLO);
    chmodSync(store.pathOf(HASH), 0o600);
    writeFileSync(store.pathOf(HASH), found);
    await expect(store.read(HASH)).rejects.toMatchObject({ code: 'corrupt-store' });
    expect(await store.put(HASH, HELLO)).toBe(again);
    await store.setAside(HASH);
    expect(await store.put(HASH, HELLO)).toBe('stored');
    expect((await store.read(HASH)).toString()).toBe('hello');
  });

  it('removes what a process that died left half written', async () => {
    const store = await openStore();
    const left = join(store.root, 'staged', '999999999-1');
    mkdirSync(left);
    writeFileSync(join(left, 'half'), 'half');
    await ChunkStore.open(store.root);
    expect(readdirSync(join(store.root, 'staged'))).not.toContain('999999999-1');
  });

  it('keeps contents that nobody writes into by mistake', async () => {
    const store = await openStore();
    await store.put(HASH, HELLO);
    expect(statSync(store.pathOf(HASH)).mode & 0o777).toBe(0o444);
  });

  it('names the folder that it cannot use', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    await expect(ChunkStore.open(join(file, 'store'))).rejects.toThrow(
      /Can't use .*file.store as a store of chunks/,
    );
  });
});
