import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { BLOCK_TOKENS } from '../full-cache';
import type { CacheIdentity } from '../store/cache-identity';
import { CacheReaderPool } from '../store/cache-reader-pool';
import { TinyChat } from '../test-support/tiny-chat';
import { blockHashes } from './block-hashes';
import { PREFIX_FILE } from './prefix-facts';
import { PrefixStore, type FoundPrefix, type PrefixLimits } from './prefix-store';

const IDENTITY: CacheIdentity = {
  weights: 'ab'.repeat(32),
  runtime: '1',
  instructionSet: 'any',
  precision: 'float32',
};

let tiny: TinyChat;
let pool: CacheReaderPool;
let root: string;
let folder: string;
let now = 0;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-prefixes-'));
  pool = CacheReaderPool.start();
  tiny = await TinyChat.open();
});
afterAll(async () => {
  await pool.close();
  tiny.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(root, 'case-'));
});

const open = (limits: Partial<PrefixLimits> = {}): Promise<PrefixStore> =>
  PrefixStore.open({ folder, pool, limits, clock: { nowMs: () => (now += 1) } });

function prefill(
  store: PrefixStore,
  tokens: readonly number[],
  signal = new AbortController().signal,
): Promise<FoundPrefix> {
  const { environment, model } = tiny;
  return store.prefill({ environment, decoder: model.decoder, identity: IDENTITY, tokens, signal });
}

const textOf = (blocks: number, seed?: number): number[] => tiny.text(blocks * BLOCK_TOKENS, seed);
const hashesOf = (tokens: readonly number[]): string[] =>
  blockHashes(IDENTITY, tokens, tokens.length / BLOCK_TOKENS);

async function layersOf(store: PrefixStore, id: string, blocks: number): Promise<Buffer> {
  const { layers } = tiny.model.decoder.config;
  const bodies: Buffer[] = [];
  for (let layer = 0; layer < layers; layer += 1) bodies.push(await store.layer(id, layer, blocks));
  return Buffer.concat(bodies);
}

describe('prefixes', () => {
  it('are there after the process, with the same bytes', async () => {
    const store = await open();
    const { id, blocks } = await prefill(store, textOf(3));
    expect(blocks).toBe(3);
    const before = await layersOf(store, id, 2);
    await store.close();
    const again = await open();
    expect(again.find(hashesOf(textOf(4)))).toEqual({ id, blocks: 3, identity: IDENTITY });
    expect((await layersOf(again, id, 2)).equals(before)).toBe(true);
    await again.close();
  });

  it('that begin alike have the same bytes, copied or computed', async () => {
    const store = await open();
    const short = await prefill(store, textOf(2));
    const long = await prefill(store, textOf(4));
    expect(long.id).not.toBe(short.id);
    const copied = await layersOf(store, long.id, 4);
    await store.close();
    rmSync(folder, { recursive: true });
    const anew = await open();
    expect((await prefill(anew, textOf(4))).id).toBe(long.id);
    expect((await layersOf(anew, long.id, 4)).equals(copied)).toBe(true);
    await anew.close();
  });

  it('that were used least go when there are too many, or they take too much', async () => {
    const store = await open({ prefixes: 2 });
    const first = await prefill(store, textOf(1, 3));
    const second = await prefill(store, textOf(1, 5));
    await store.layer(first.id, 0, 1);
    const third = await prefill(store, textOf(1, 17));
    await expect(store.layer(second.id, 0, 1)).rejects.toMatchObject({ code: 'not-found' });
    expect(
      readdirSync(folder)
        .filter((name) => name.length === 64)
        .sort(),
    ).toEqual([first.id, third.id].sort());
    await store.close();
    const { layers, kvHeads, headDim } = tiny.model.decoder.config;
    const blockBytes = 2 * layers * kvHeads * headDim * 4 * BLOCK_TOKENS;
    const small = await open({ bytes: 2 * blockBytes });
    await prefill(small, textOf(2, 5));
    expect(small.find(hashesOf(textOf(1, 3)))).toBeUndefined();
    await expect(prefill(small, textOf(3, 5))).rejects.toMatchObject({ code: 'budget-too-small' });
    await small.close();
  });

  it('of which a bit was flipped on disk are refused and computed again', async () => {
    const store = await open();
    const { id } = await prefill(store, textOf(2));
    const before = await layersOf(store, id, 2);
    await store.close();
    const file = join(folder, id, 'kv.bin');
    const bytes = readFileSync(file);
    bytes[5]! ^= 4;
    writeFileSync(file, bytes);
    const again = await open();
    await expect(again.layer(id, 0, 2)).rejects.toMatchObject({ code: 'corrupt-store' });
    await expect(again.layer(id, 0, 2)).rejects.toMatchObject({ code: 'not-found' });
    expect((await prefill(again, textOf(2))).id).toBe(id);
    expect((await layersOf(again, id, 2)).equals(before)).toBe(true);
    await again.close();
  });

  it('whose facts are damaged are removed', async () => {
    const store = await open();
    const { id } = await prefill(store, textOf(1));
    await store.close();
    writeFileSync(join(folder, id, PREFIX_FILE), '{"version":1');
    const again = await open();
    expect(again.find(hashesOf(textOf(1)))).toBeUndefined();
    expect(readdirSync(folder)).not.toContain(id);
    await again.close();
  });

  it('that are given up leave nothing', async () => {
    const store = await open();
    await expect(prefill(store, textOf(2), AbortSignal.abort())).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(folder).filter((name) => name.length === 64)).toEqual([]);
    expect((await prefill(store, textOf(2))).blocks).toBe(2);
    await store.close();
  });

  it('have the layers and blocks they have', async () => {
    const store = await open();
    const { id } = await prefill(store, textOf(1));
    for (const [layer, blocks] of [
      [0, 2],
      [3, 1],
    ] as const) {
      await expect(store.layer(id, layer, blocks)).rejects.toMatchObject({ code: 'bad-input' });
    }
    await store.close();
  });
});
