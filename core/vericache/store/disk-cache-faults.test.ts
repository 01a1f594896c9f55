import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSync } from 'esbuild';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { seededRandom, systemClock, workerFile } from '../../base';
import { BLOCK_TOKENS } from '../full-cache';
import type { CacheShape } from './cache-layout';
import { CacheReaderPool } from './cache-reader-pool';
import { DiskCache } from './disk-cache';
import { SessionStore } from './session-store';
import type { WriterLine } from './test-support/cache-writer-process';
import {
  append,
  IDENTITY,
  makeRows,
  textOf,
  wrongRows,
  wrongRowsOf,
  writeBlocks,
} from './test-support/made-cache';
import { useCacheGround } from './test-support/cache-ground';

const SHAPE: CacheShape = { layers: 3, kvHeads: 2, headDim: 16, capacityTokens: 64 * BLOCK_TOKENS };

const ground = useCacheGround();

const open = (at = ground.folder, readers = ground.pool): Promise<DiskCache> =>
  DiskCache.open({ folder: at, shape: SHAPE, identity: IDENTITY, pool: readers });

describe('a full disk', () => {
  /** Writes until nothing more fits. */
  function fill(path: string): void {
    for (let bytes = 1 << 20; bytes >= 1; bytes = bytes === 1 ? 0 : bytes >> 2) {
      for (;;) {
        try {
          writeFileSync(path, new Uint8Array(bytes), { flag: 'a' });
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
          break;
        }
      }
    }
  }

  const full = {
    code: 'io',
    details: { errno: 'ENOSPC' },
    message: expect.stringMatching(/the disk is full/) as string,
  };

  it('fails a write or a commit; what counted stays, and the rest goes on once there is space', async (context) => {
    const disk = join(ground.folder, 'small-disk');
    const filler = join(disk, 'filler');
    mkdirSync(disk);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', disk], { stdio: 'ignore' });
    } catch {
      context.skip('a small disk can be mounted by root only');
    }
    try {
      const cache = await open(join(disk, 'session'));
      await append(cache, 3);
      fill(filler);
      // So many that their tokens and sums take a page of the journal.
      const tokens = textOf(0, 3, 10);
      await expect(writeBlocks(cache, 10, tokens)).rejects.toMatchObject(full);
      await expect(cache.commit(10, tokens)).rejects.toThrow(/was not written/);
      expect(await wrongRowsOf(cache)).toBe(0);

      rmSync(filler);
      await writeBlocks(cache, 10, tokens);
      fill(filler);
      const tail = { rows: makeRows(SHAPE, 3), row: 0 };
      await expect(cache.saveTail([1, 2, 3], () => tail)).rejects.toMatchObject(full);
      await expect(cache.commit(10, tokens)).rejects.toMatchObject(full);
      expect(cache.blocks).toBe(3);
      await cache.close();
      const reopened = await open(join(disk, 'session'));
      expect(reopened.tokens).toEqual(textOf(0, 0, 3));
      expect(await wrongRowsOf(reopened)).toBe(0);

      rmSync(filler);
      await writeBlocks(reopened, 10, tokens);
      fill(filler);
      await expect(reopened.commit(10, tokens)).rejects.toMatchObject(full);
      rmSync(filler);
      await reopened.commit(10, tokens);
      expect(await wrongRowsOf(reopened)).toBe(0);
      await reopened.close();
      const again = await open(join(disk, 'session'));
      expect(again.tokens).toEqual(textOf(0, 0, 10));
      await again.close();
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

describe('a reader that dies', () => {
  /** Readers that end as `script` says at a job, until the file `sick` is gone. */
  function dyingPool(script: string): { readonly pool: CacheReaderPool; readonly mend: () => void } {
    const sick = join(ground.folder, 'sick');
    writeFileSync(sick, '');
    const path = join(ground.folder, 'dying-worker.js');
    const real = JSON.stringify(workerFile('cache-reader-worker'));
    writeFileSync(
      path,
      `if (require('fs').existsSync(${JSON.stringify(sick)}))
         require('worker_threads').parentPort.on('message', () => { ${script} });
       else require(${real});`,
    );
    return { pool: CacheReaderPool.start(2, path), mend: () => rmSync(sick) };
  }

  it.each([
    ['ends', 'process.exit(1)', undefined],
    ['throws', "throw new Error('boom')", 'boom'],
  ])('fails its reads when it %s, and is replaced', async (_, script, cause) => {
    const cache = await open();
    await append(cache, 4);
    await cache.close();
    const dying = dyingPool(script);
    const sick = await open(ground.folder, dying.pool);
    const rows = makeRows(SHAPE, 4 * BLOCK_TOKENS);
    const reads = [0, 1, 2].map((layer) => sick.read(layer, 4, rows));
    for (const read of reads) {
      const failure: unknown = await read.done.catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'io', message: expect.stringContaining('thread') as string });
      if (cause) expect((failure as Error).cause).toMatchObject({ message: cause });
      expect(read.isDone).toBe(false);
    }
    dying.mend();
    expect(await wrongRowsOf(sick)).toBe(0);
    await sick.close();
    await dying.pool.close();
  });

  it('fails what is under way when the pool is closed', async () => {
    const own = CacheReaderPool.start();
    const cache = await open(ground.folder, own);
    await append(cache, 4);
    const read = cache.read(0, 4, makeRows(SHAPE, 4 * BLOCK_TOKENS));
    await own.close();
    if (!read.isDone) await expect(read.done).rejects.toMatchObject({ code: 'io' });
    await cache.close();
  });
});

describe('kill -9', () => {
  const conversationSchema = z.object({ turns: z.number(), tokens: z.number() });
  let script: string;
  beforeAll(() => {
    script = join(dirname(dirname(workerFile('cache-reader-worker'))), 'test', 'cache-writer-process.js');
    buildSync({
      entryPoints: [join(__dirname, 'test-support', 'cache-writer-process.ts')],
      bundle: true,
      platform: 'node',
      target: 'node18',
      outfile: script,
      external: ['koffi', 'onnxruntime-node'],
    });
  });

  /** Lets a writer work for so many lines and a moment more, then kills it. @returns what it said last. */
  async function workAndKill(
    id: string,
    seed: number,
    lines: number,
    moreMs: number,
  ): Promise<Record<string, number>> {
    const args = [script, ground.folder, id, JSON.stringify(SHAPE), String(seed)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const said: Record<string, number> = {};
    let count = 0;
    for await (const text of createInterface(child.stdout)) {
      const line = JSON.parse(text) as WriterLine;
      said[line.kind] = line.blocks;
      count += 1;
      if (count === lines) void sleep(moreMs).then(() => child.kill('SIGKILL'));
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    return said;
  }

  it('at any moment loses only what was not committed', async () => {
    const store = new SessionStore(ground.folder, systemClock);
    const made = await store.create({ title: 'Killed', model: 'm', isTemporary: false });
    const { id } = made.facts;
    await made.close();
    const random = seededRandom(11);
    for (let round = 0; round < 6; round += 1) {
      const said = await workAndKill(id, round, 2 + Math.floor(random() * 12), random() * 12);
      const session = await store.open(id);
      const cache = await session.openCache({ shape: SHAPE, identity: IDENTITY, pool: ground.pool });
      expect([said['did'], said['will']]).toContain(cache.blocks);
      expect(cache.tokens).toHaveLength(cache.blocks * BLOCK_TOKENS);
      expect(await wrongRowsOf(cache)).toBe(0);
      const layers = Array.from({ length: SHAPE.layers }, () => makeRows(SHAPE, 20));
      const tail = await cache.loadTail((layer) => ({ rows: layers[layer]!, row: 0 }));
      layers.forEach((rows, layer) => expect(wrongRows(cache.layout, rows, 0, layer, tail)).toBe(0));
      const conversation = await session.readConversation(conversationSchema);
      expect(conversation?.tokens ?? 0).toBeGreaterThanOrEqual(0);
      await session.close();
    }
  });
});
