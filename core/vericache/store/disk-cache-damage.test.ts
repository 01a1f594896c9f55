import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failureOf } from '../../contract/test-support/failure-of';
import { BLOCK_TOKENS } from '../full-cache';
import type { CacheShape } from './cache-layout';
import { DiskCache } from './disk-cache';
import {
  append,
  fillRows,
  IDENTITY,
  makeRows,
  tokensOf,
  wrongRows,
  wrongRowsOf,
} from './test-support/made-cache';
import { useCacheGround } from './test-support/cache-ground';

const SHAPE: CacheShape = { layers: 3, kvHeads: 2, headDim: 16, capacityTokens: 12 * BLOCK_TOKENS };

const ground = useCacheGround();

const open = (shape = SHAPE, at = ground.folder): Promise<DiskCache> =>
  DiskCache.open({ folder: at, shape, identity: IDENTITY, pool: ground.pool });

describe('damage', () => {
  it('anywhere in a block is found, named, and gone after a truncation', async () => {
    const cache = await open();
    await append(cache, 6);
    const { layout } = cache;
    await cache.close();
    const path = join(ground.folder, 'kv.bin');
    const places = fc.record({
      layer: fc.nat(SHAPE.layers - 1),
      region: fc.nat(layout.regions - 1),
      block: fc.nat(5),
      bit: fc.nat(layout.blockBytes * 8 - 1),
    });
    await fc.assert(
      fc.asyncProperty(places, async ({ layer, region, block, bit }) => {
        const whole = readFileSync(path);
        const damaged = Buffer.from(whole);
        const at = layout.chunkOffset(layer, region, block) + (bit >> 3);
        damaged[at] = damaged[at]! ^ (1 << (bit & 7));
        writeFileSync(path, damaged);
        const opened = await open();
        const rows = makeRows(SHAPE, 6 * BLOCK_TOKENS);
        const read = opened.read(layer, 6, rows);
        await expect(read.done).rejects.toMatchObject({
          code: 'corrupt-store',
          message: expect.stringContaining(`Block ${block} of layer ${layer} (`) as string,
          details: { layer, block, rows: layout.regionName(region), path },
        });
        expect(read.isDone).toBe(false);
        await opened.truncate(block);
        expect(await wrongRowsOf(opened)).toBe(0);
        await append(opened, 6);
        expect(await wrongRowsOf(opened)).toBe(0);
        await opened.close();
        expect(Buffer.compare(readFileSync(path), whole)).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  it('in several places is told by its lowest block', async () => {
    const cache = await open();
    await append(cache, 10);
    const { layout } = cache;
    const path = join(ground.folder, 'kv.bin');
    const data = readFileSync(path);
    for (const [region, block] of [
      [0, 9],
      [3, 4],
      [1, 7],
      [2, 4],
    ] as const) {
      data.fill(0, layout.chunkOffset(1, region, block), layout.chunkOffset(1, region, block + 1));
    }
    writeFileSync(path, data);
    const failure = await failureOf(cache.read(1, 10, makeRows(SHAPE, 1280)).done);
    expect(failure).toMatchObject({ code: 'corrupt-store', details: { layer: 1, block: 4 } });
    expect(await failureOf(cache.read(1, 9, makeRows(SHAPE, 1280)).done)).toMatchObject({
      details: { block: 4 },
    });
    await cache.read(1, 4, makeRows(SHAPE, 1280)).done;
    await cache.close();
  });

  it.each([
    [
      'another block of the region',
      (l: DiskCache['layout']) => [l.chunkOffset(1, 0, 2), l.chunkOffset(1, 0, 3)],
    ],
    ['another head', (l: DiskCache['layout']) => [l.chunkOffset(1, 0, 2), l.chunkOffset(1, 1, 2)]],
    ['another layer', (l: DiskCache['layout']) => [l.chunkOffset(1, 0, 2), l.chunkOffset(0, 0, 2)]],
  ])('by a block that stands where %s should is found', async (_, places) => {
    const cache = await open();
    await append(cache, 4);
    const [a = 0, b = 0] = places(cache.layout);
    const path = join(ground.folder, 'kv.bin');
    const data = readFileSync(path);
    const first = Buffer.from(data.subarray(a, a + cache.layout.blockBytes));
    data.copyWithin(a, b, b + cache.layout.blockBytes);
    first.copy(data, b);
    writeFileSync(path, data);
    expect(await failureOf(cache.read(1, 4, makeRows(SHAPE, 512)).done)).toMatchObject({
      code: 'corrupt-store',
      details: { layer: 1, block: 2 },
    });
    await cache.close();
  });

  it('by a file that was cut while it is open is found', async () => {
    const cache = await open();
    await append(cache, 4);
    truncateSync(join(ground.folder, 'kv.bin'), cache.layout.chunkOffset(2, 3, 1) + 100);
    await cache.read(1, 4, makeRows(SHAPE, 512)).done;
    expect(await failureOf(cache.read(2, 4, makeRows(SHAPE, 512)).done)).toMatchObject({
      code: 'corrupt-store',
      details: { layer: 2, block: 1 },
    });
    await cache.close();
  });
});

describe('the tail', () => {
  const tail = [5, 6, 7, -1, 2 ** 31 - 1];

  async function save(cache: DiskCache, tokens: readonly number[]): Promise<void> {
    const rows = makeRows(SHAPE, 200);
    await cache.saveTail(tokens, (layer) => {
      fillRows(cache.layout, rows, 30, layer, tokens);
      return { rows: copyOf(rows), row: 30 };
    });
  }

  function copyOf(rows: ReturnType<typeof makeRows>): ReturnType<typeof makeRows> {
    const copy = makeRows(SHAPE, 200);
    copy.memory.bytes.set(rows.memory.bytes);
    return copy;
  }

  /** The tokens that came back, each with its rows. */
  async function loaded(cache: DiskCache): Promise<readonly number[]> {
    const layers = Array.from({ length: SHAPE.layers }, () => makeRows(SHAPE, 300));
    const tokens = await cache.loadTail((layer) => ({ rows: layers[layer]!, row: 77 }));
    for (const [layer, rows] of layers.entries()) {
      expect(wrongRows(cache.layout, rows, 77, layer, tokens)).toBe(0);
    }
    return tokens;
  }

  it('comes back with its rows after a close', async () => {
    const cache = await open();
    expect(await loaded(cache)).toEqual([]);
    await append(cache, 1);
    await save(cache, [1, 2]);
    await save(cache, tail);
    await cache.close();
    const again = await open();
    expect(await loaded(again)).toEqual(tail);
    await expect(save(again, tokensOf(0, 0))).rejects.toThrow(/a whole block/);
    await save(again, []);
    expect(await loaded(again)).toEqual([]);
    await again.close();
  });

  it('of other blocks does not count', async () => {
    const cache = await open();
    await append(cache, 1);
    await save(cache, tail);
    await append(cache, 2);
    expect(await loaded(cache)).toEqual([]);
    await cache.truncate(1);
    expect(await loaded(cache)).toEqual([]);
    await cache.close();
  });

  it('damaged at any place does not count', async () => {
    const cache = await open();
    await save(cache, tail);
    const path = join(ground.folder, 'tail');
    const whole = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.byteLength * 8 - 1),
        fc.nat(whole.byteLength - 1),
        async (bit, byteLength) => {
          const damaged = Buffer.from(whole);
          damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
          for (const content of [damaged, whole.subarray(0, byteLength)]) {
            writeFileSync(path, content);
            expect(await loaded(cache)).toEqual([]);
          }
        },
      ),
      {
        examples: [
          [0, 0],
          [33, 7],
          [70, 41],
        ],
      },
    );
    writeFileSync(path, whole);
    expect(await loaded(cache)).toEqual(tail);
    await cache.close();
  });
});
