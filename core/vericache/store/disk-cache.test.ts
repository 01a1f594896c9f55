import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LayerRows } from '../../llm';
import { OrtEnvironment } from '../../ort';
import { BLOCK_TOKENS } from '../full-cache';
import type { CacheShape } from './cache-layout';
import { DiskCache } from './disk-cache';
import { append, IDENTITY, makeRows, textOf, wrongRows, wrongRowsOf } from './test-support/made-cache';
import { useCacheGround } from './test-support/cache-ground';

const SHAPE: CacheShape = { layers: 3, kvHeads: 2, headDim: 16, capacityTokens: 12 * BLOCK_TOKENS };

const ground = useCacheGround();

const open = (shape = SHAPE, at = ground.folder): Promise<DiskCache> =>
  DiskCache.open({ folder: at, shape, identity: IDENTITY, pool: ground.pool });

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
          const at = mkdtempSync(join(ground.root, 'shape-'));
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

  it('keeps rows as a decoder has them, and gives them to rows of another capacity', async () => {
    const environment = OrtEnvironment.open({ threads: 1 });
    const { layers, ...heads } = SHAPE;
    const shape = { ...heads, heads: 4 };
    const source = new LayerRows(environment, shape, 5 * BLOCK_TOKENS);
    const target = new LayerRows(environment, shape, 3 * BLOCK_TOKENS);
    const width = shape.kvHeads * shape.headDim;
    const numbers = Float32Array.from({ length: 3 * BLOCK_TOKENS * width }, (_, at) => Math.sin(at));
    source.write(BLOCK_TOKENS, numbers, numbers.slice().reverse());
    const cache = await open();
    for (let layer = 0; layer < layers; layer += 1) await cache.write(layer, 0, 3, source, BLOCK_TOKENS);
    await cache.commit(3, textOf(0, 0, 3));
    await cache.read(1, 3, target).done;
    for (const kind of [0, 1] as const) {
      for (let head = 0; head < shape.kvHeads; head += 1) {
        const written = source.rows(kind, head, BLOCK_TOKENS, 4 * BLOCK_TOKENS);
        expect(target.rows(kind, head, 0, 3 * BLOCK_TOKENS)).toEqual(written);
      }
    }
    await cache.close();
    environment.close();
  });

  it('reads in pieces what is longer than two megabytes', async () => {
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
        const at = mkdtempSync(join(ground.root, 'steps-'));
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
    const { size, blocks } = statSync(join(ground.folder, 'kv.bin'));
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
