import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { BLOCK_TOKENS } from '../full-cache';
import type { CacheShape } from './cache-layout';
import { CacheReaderPool } from './cache-reader-pool';
import { DiskCache } from './disk-cache';
import { append, IDENTITY, makeRows, textOf, wrongRows, wrongRowsOf } from './test-support/made-cache';

const SHAPE: CacheShape = { layers: 3, kvHeads: 2, headDim: 16, capacityTokens: 12 * BLOCK_TOKENS };

let root: string;
let folder: string;
let pool: CacheReaderPool;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-cache-'));
  pool = CacheReaderPool.start();
});
afterAll(async () => {
  await pool.close();
  rmSync(root, { recursive: true, force: true });
});
beforeEach(() => {
  folder = mkdtempSync(join(root, 'case-'));
});

const open = (shape = SHAPE, at = folder): Promise<DiskCache> =>
  DiskCache.open({ folder: at, shape, identity: IDENTITY, pool });

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('it should have failed'),
    (error: unknown) => error,
  );

describe('a cache on disk', () => {
  it('gives back what was written, whatever its shape and wherever its rows lie', async () => {
    const shapes = fc.record({
      layers: fc.integer({ min: 1, max: 4 }),
      kvHeads: fc.integer({ min: 1, max: 3 }),
      headDim: fc.constantFrom(8, 24, 64, 128),
      capacityTokens: fc.integer({ min: 4 * BLOCK_TOKENS, max: 20 * BLOCK_TOKENS }),
    });
    const unaligned = fc.constantFrom(0, 0, 64, 4096 + 16);
    const blocks = fc.integer({ min: 1, max: 4 });
    await fc.assert(
      fc.asyncProperty(
        shapes,
        blocks,
        blocks,
        unaligned,
        unaligned,
        async (shape, end, read, writeSkip, readSkip) => {
          const at = mkdtempSync(join(root, 'shape-'));
          const cache = await open(shape, at);
          await append(cache, end, 1, writeSkip);
          expect(await wrongRowsOf(cache, Math.min(read, end), readSkip)).toBe(0);
          await cache.close();
          const again = await open(shape, at);
          expect(again.tokens).toEqual(textOf(1, 0, end));
          expect(await wrongRowsOf(again, end, readSkip)).toBe(0);
          await again.close();
          rmSync(at, { recursive: true });
        },
      ),
      { numRuns: 25 },
    );
  });

  it('reads in pieces of a megabyte what is longer than that', async () => {
    const shape = { layers: 1, kvHeads: 1, headDim: 128, capacityTokens: 45 * BLOCK_TOKENS };
    const cache = await open(shape);
    await append(cache, 45);
    expect(await wrongRowsOf(cache)).toBe(0);
    expect(await wrongRowsOf(cache, 33, 64)).toBe(0);
    await cache.close();
  });

  it('holds after any sequence of commits, truncations, lost writes and reopenings what counts then', async () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constant('append' as const),
        count: fc.integer({ min: 1, max: 3 }),
        text: fc.nat(9),
      }),
      fc.record({ kind: fc.constant('truncate' as const), to: fc.nat(8) }),
      fc.record({ kind: fc.constant('lose' as const), layer: fc.nat(2) }),
      fc.record({ kind: fc.constant('reopen' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
        const at = mkdtempSync(join(root, 'steps-'));
        let cache = await open(SHAPE, at);
        let expected: number[] = [];
        for (const next of steps) {
          const { blocks } = cache;
          const end = next.kind === 'append' ? blocks + next.count : 0;
          if (next.kind === 'append' && end <= cache.layout.capacityBlocks) {
            expected = [...expected, ...textOf(next.text, blocks, end)];
            await append(cache, end, next.text);
          } else if (next.kind === 'truncate') {
            await cache.truncate(next.to);
            expected = expected.slice(0, Math.min(blocks, next.to) * BLOCK_TOKENS);
          } else if (next.kind === 'lose' && blocks < cache.layout.capacityBlocks) {
            await cache.write(next.layer, blocks, blocks + 1, makeRows(SHAPE, BLOCK_TOKENS), 0);
          } else if (next.kind === 'reopen') {
            await cache.close();
            cache = await open(SHAPE, at);
          }
          expect(cache.tokens).toEqual(expected);
          expect(await wrongRowsOf(cache)).toBe(0);
        }
        await cache.close();
        rmSync(at, { recursive: true });
      }),
      { numRuns: 20 },
    );
  });

  it('reads while blocks behind are written and committed', async () => {
    const cache = await open();
    await append(cache, 2);
    let writing = true;
    const written = (async () => {
      for (let end = 3; end <= 12; end += 1) await append(cache, end);
      writing = false;
    })();
    let rounds = 0;
    while (writing) {
      expect(await wrongRowsOf(cache, 2)).toBe(0);
      rounds += 1;
    }
    await written;
    expect(rounds).toBeGreaterThan(0);
    expect(await wrongRowsOf(cache)).toBe(0);
    await cache.close();
  });

  it('tells that a read is done without the event loop', async () => {
    const cache = await open();
    await append(cache, 4);
    const rows = makeRows(SHAPE, 4 * BLOCK_TOKENS);
    await cache.read(0, 4, rows).done; // the threads have started
    const read = cache.read(1, 4, rows);
    const bell = new Int32Array(new SharedArrayBuffer(4));
    while (!read.isDone) Atomics.wait(bell, 0, 0, 1);
    expect(wrongRows(cache.layout, rows, 0, 1, cache.tokens)).toBe(0);
    await cache.close();
  });

  it('takes no disk space for room that is not used', async () => {
    const cache = await open({ ...SHAPE, capacityTokens: 2 ** 20 });
    await append(cache, 1);
    await cache.close();
    const { size, blocks } = statSync(join(folder, 'kv.bin'));
    expect(size).toBe(3 * 4 * 2 ** 20 * 64);
    expect(blocks * 512).toBeLessThan(2 ** 20);
  });

  it('waits at close for what is under way, and refuses what comes later', async () => {
    const cache = await open();
    await append(cache, 3);
    const rows = makeRows(SHAPE, 3 * BLOCK_TOKENS);
    const read = cache.read(0, 3, rows);
    await cache.close();
    expect(read.isDone).toBe(true);
    expect(() => cache.read(0, 3, rows)).toThrow(/it is closed/);
    await expect(cache.truncate(0)).rejects.toThrow(/it is closed/);
  });

  it.each([
    ['a block that counts', (c: DiskCache) => c.write(0, 1, 2, makeRows(SHAPE, 128), 0), /counts already/],
    [
      'past its end',
      (c: DiskCache) => c.write(0, 12, 13, makeRows(SHAPE, 128), 0),
      /13 blocks don't fit .* 12/,
    ],
    ['rows that are not there', (c: DiskCache) => c.write(0, 2, 3, makeRows(SHAPE, 128), 1), /rows 1 to 129/],
    [
      'blocks that were not written',
      (c: DiskCache) => c.commit(3, textOf(0, 2, 3)),
      /Block 2 of layer 0 was not/,
    ],
    ['tokens of another number', (c: DiskCache) => c.commit(3, [1]), /1 tokens can't be those of 1 blocks/],
    ['more than counts', async (c: DiskCache) => c.read(0, 3, makeRows(SHAPE, 999)).done, /3 blocks .* of 2/],
  ])('refuses %s', async (_, call, message) => {
    const cache = await open();
    await append(cache, 2);
    await expect(call(cache)).rejects.toThrow(message);
    await cache.close();
  });
});

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
      DiskCache.open({ folder, shape: SHAPE, identity: IDENTITY, pool, ...other }),
    );
    expect(failure).toMatchObject({ code: 'stale-store' });
    expect((failure as Error).message).toContain(message);
    const again = await open();
    expect(again.blocks).toBe(1);
    await again.close();
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
    truncateSync(join(folder, 'kv.bin'), layout.chunkOffset(2, 3, 4) - 1);
    const shorter = await open();
    expect(shorter.tokens).toEqual(textOf(0, 0, 3));
    expect(await wrongRowsOf(shorter)).toBe(0);
    await append(shorter, 6, 2);
    await shorter.close();
    const again = await open();
    expect(again.tokens).toEqual([...textOf(0, 0, 3), ...textOf(2, 3, 6)]);
    expect(await wrongRowsOf(again)).toBe(0);
    await again.close();
    rmSync(join(folder, 'kv.bin'));
    const empty = await open();
    expect(empty.blocks).toBe(0);
    await empty.close();
  });

  it('goes on from a journal that was cut anywhere', async () => {
    const cache = await open();
    await append(cache, 2);
    await append(cache, 4);
    await cache.close();
    const path = join(folder, 'journal');
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
