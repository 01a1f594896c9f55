import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../contract/test-support/failure-of';
import { BLOCK_TOKENS } from '../full-cache';
import type { CacheShape } from './cache-layout';
import { DiskCache } from './disk-cache';
import { append, IDENTITY, textOf, wrongRowsOf } from './test-support/made-cache';
import { useCacheGround } from './test-support/cache-ground';

const SHAPE: CacheShape = { layers: 3, kvHeads: 2, headDim: 16, capacityTokens: 12 * BLOCK_TOKENS };

const ground = useCacheGround();

const open = (shape = SHAPE, at = ground.folder): Promise<DiskCache> =>
  DiskCache.open({ folder: at, shape, identity: IDENTITY, pool: ground.pool });

describe('opening', () => {
  it('refuses a head dimension whose blocks are no multiples of 4096 bytes', async () => {
    await expect(open({ ...SHAPE, headDim: 20 })).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('multiple of 8') as string,
      details: { headDim: 20 },
    });
  });

  it.each([
    ['weights', { identity: { ...IDENTITY, weights: 'b' } }, 'weights aaaaaaaaaaaa... instead of b'],
    ['runtime', { identity: { ...IDENTITY, runtime: '2' } }, 'runtime onnxruntime 1.30.0 instead of 2'],
    [
      'CPU',
      { identity: { ...IDENTITY, instructionSet: 'arm64' } },
      'instructionSet x86-64-avx512 instead of arm64',
    ],
    ['precision', { identity: { ...IDENTITY, precision: 'float32' } }, 'precision packed instead of float32'],
    ['layers', { shape: { ...SHAPE, layers: 4 } }, 'layers 3 instead of 4'],
    [
      'heads',
      { shape: { ...SHAPE, kvHeads: 1, headDim: 32 } },
      'kvHeads 2 instead of 1, headDim 16 instead of 32',
    ],
  ])('refuses a cache of other %s, and leaves it as it is', async (_, other, message) => {
    const cache = await open();
    await append(cache, 1);
    await cache.close();
    const failure = await failureOf(
      DiskCache.open({
        folder: ground.folder,
        shape: SHAPE,
        identity: IDENTITY,
        pool: ground.pool,
        ...other,
      }),
    );
    expect(failure).toMatchObject({ code: 'stale-store' });
    expect((failure as Error).message).toContain(message);
    const again = await open();
    expect(again.blocks).toBe(1);
    await again.close();
  });

  it('removes what a process that was killed had not finished writing', async () => {
    writeFileSync(join(ground.folder, 'tail.0123abcd.tmp'), 'half a tai');
    await (await open()).close();
    expect(readdirSync(ground.folder).sort()).toEqual(['journal', 'kv.bin']);
  });

  it('keeps the capacity that it was made with', async () => {
    await (await open()).close();
    const again = await open({ ...SHAPE, capacityTokens: 99 });
    expect(again.layout.capacityBlocks).toBe(12);
    await again.close();
  });

  it('is for one at a time', async () => {
    const cache = await open();
    await expect(open()).rejects.toMatchObject({ code: 'conflict' });
    await cache.close();
    await (await open()).close();
  });

  it('counts of a kv.bin that was cut the blocks that are there', async () => {
    const cache = await open();
    await append(cache, 5);
    const { layout } = cache;
    await cache.close();
    truncateSync(join(ground.folder, 'kv.bin'), layout.chunkOffset(2, 3, 4) - 1);
    const shorter = await open();
    expect(shorter.tokens).toEqual(textOf(0, 0, 3));
    expect(await wrongRowsOf(shorter)).toBe(0);
    await append(shorter, 6, 2);
    await shorter.close();
    const again = await open();
    expect(again.tokens).toEqual([...textOf(0, 0, 3), ...textOf(2, 3, 6)]);
    expect(await wrongRowsOf(again)).toBe(0);
    await again.close();
    rmSync(join(ground.folder, 'kv.bin'));
    const empty = await open();
    expect(empty.blocks).toBe(0);
    await empty.close();
  });

  it('goes on from a journal that was cut anywhere', async () => {
    const cache = await open();
    await append(cache, 2);
    await append(cache, 4);
    await cache.close();
    const path = join(ground.folder, 'journal');
    const journal = readFileSync(path);
    const cuts = fc.integer({ min: 0, max: journal.byteLength });
    await fc.assert(
      fc.asyncProperty(cuts, fc.uint8Array({ maxLength: 50 }), async (byteLength, garbage) => {
        writeFileSync(path, Buffer.concat([journal.subarray(0, byteLength), garbage]));
        const cut = await open();
        expect([0, 2, 4]).toContain(cut.blocks);
        expect(cut.tokens).toEqual(textOf(0, 0, cut.blocks));
        if (cut.blocks > 0) expect(await wrongRowsOf(cut)).toBe(0);
        await append(cut, 5, 3);
        expect(await wrongRowsOf(cut)).toBe(0);
        await cut.close();
        const again = await open();
        expect(await wrongRowsOf(again)).toBe(0);
        expect(again.blocks).toBe(5);
        await again.truncate(4);
        await again.close();
        await restore();
      }),
      {
        numRuns: 20,
        examples: [
          [0, new Uint8Array()],
          [journal.byteLength, new Uint8Array()],
        ],
      },
    );

    /** As it was before the cut, in `kv.bin` too. */
    async function restore(): Promise<void> {
      rmSync(path);
      const made = await open();
      await append(made, 2);
      await append(made, 4);
      await made.close();
    }
  });
});
