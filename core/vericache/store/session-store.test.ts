import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { BLOCK_TOKENS } from '../full-cache';
import type { CacheShape } from './cache-layout';
import { CacheReaderPool } from './cache-reader-pool';
import { SessionStore } from './session-store';
import { append, fillRows, IDENTITY, makeRows, wrongRowsOf } from './test-support/made-cache';

const SHAPE: CacheShape = { layers: 2, kvHeads: 1, headDim: 8, capacityTokens: 1024 };
const ABOUT = { title: 'Talk', model: 'smollm2', isTemporary: false };

let base: string;
let root: string;
let pool: CacheReaderPool;
let nowMs = 1000;
const clock = { nowMs: () => (nowMs += 1) };
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'sluice-sessions-'));
  pool = CacheReaderPool.start();
});
afterAll(async () => {
  await pool.close();
  rmSync(base, { recursive: true, force: true });
});
let store: SessionStore;
beforeEach(() => {
  root = join(mkdtempSync(join(base, 'case-')), 'sessions');
  store = new SessionStore(root, clock);
});

const cacheOf = { shape: SHAPE, identity: IDENTITY };
const listed = async (): Promise<readonly string[]> =>
  (await store.list()).sessions.map(({ title }) => title);

describe('sessions', () => {
  it('come back with their facts, their conversation and their cache', async () => {
    expect(await store.list()).toEqual({ sessions: [], unusable: [] });
    const session = await store.create(ABOUT);
    const schema = z.object({ messages: z.array(z.string()) });
    expect(await session.readConversation(schema)).toBeUndefined();
    const cache = await session.openCache({ ...cacheOf, pool });
    await append(cache, 2);
    const rows = makeRows(SHAPE, 3);
    fillRows(cache.layout, rows, 0, 0, [1, 2, 3]);
    await cache.saveTail([1, 2, 3], () => ({ rows, row: 0 }));
    await session.writeConversation({ messages: ['Hello'] });
    await session.rename('Talk of two');
    await session.close();

    const { sessions } = await store.list();
    expect(sessions).toMatchObject([
      { ...ABOUT, id: session.facts.id, title: 'Talk of two', tokens: 2 * BLOCK_TOKENS + 3 },
    ]);
    const { bytesOnDisk, createdMs, usedMs } = sessions[0]!;
    expect(bytesOnDisk).toBeGreaterThanOrEqual(2 * SHAPE.layers * 2 * 4096);
    expect(bytesOnDisk).toBeLessThan(10 * SHAPE.layers * 2 * 4096);
    expect(usedMs).toBeGreaterThan(createdMs);

    const again = await store.open(session.facts.id);
    expect(await again.readConversation(schema)).toEqual({ messages: ['Hello'] });
    const cacheAgain = await again.openCache({ ...cacheOf, pool });
    expect(await wrongRowsOf(cacheAgain)).toBe(0);
    await again.close();
    expect(readdirSync(root)).toEqual([session.facts.id]);
  });

  it('are listed the last used first, whatever lies beside them', async () => {
    const first = await store.create({ ...ABOUT, title: 'first' });
    const second = await store.create({ ...ABOUT, title: 'second' });
    await second.close();
    await first.close();
    mkdirSync(join(root, 'something-else'));
    writeFileSync(join(root, '0123456789abcdef'), 'a file');
    expect(await listed()).toEqual(['first', 'second']);
    await (await store.open(second.facts.id)).close();
    expect(await listed()).toEqual(['second', 'first']);
  });

  it('are open in one place at a time', async () => {
    const session = await store.create(ABOUT);
    const { id } = session.facts;
    const other = new SessionStore(root, clock);
    await expect(other.open(id)).rejects.toMatchObject({ code: 'conflict' });
    await expect(other.remove(id)).rejects.toMatchObject({ code: 'conflict' });
    await session.close();
    await (await other.open(id)).close();
    await other.remove(id);
    expect(readdirSync(root)).toEqual([]);
    await expect(store.open(id)).rejects.toMatchObject({ code: 'not-found', details: { id } });
  });

  it.each(['', '..', '../x', 'a/b', '.temporary'])('of the name %j do not exist', async (id) => {
    await (await store.create(ABOUT)).close();
    await expect(store.open(id)).rejects.toMatchObject({ code: 'not-found' });
    await expect(store.remove(id)).rejects.toMatchObject({ code: 'not-found' });
  });

  it.each([
    ['cut', '{"version":1,"id'],
    ['of an unknown version', '{"version":0}'],
    ['not JSON', 'hello'],
  ])('whose facts are %s are told apart, refused, and can be removed', async (_, text) => {
    const whole = await store.create(ABOUT);
    const broken = await store.create(ABOUT);
    await whole.close();
    await broken.close();
    const { id } = broken.facts;
    writeFileSync(join(root, id, 'session.json'), text);
    expect(await store.list()).toMatchObject({
      sessions: [{ id: whole.facts.id }],
      unusable: [{ id, problem: expect.stringContaining('session.json') as string }],
    });
    await expect(store.open(id)).rejects.toMatchObject({ code: 'corrupt-store' });
    await store.remove(id);
    expect(await store.list()).toMatchObject({ sessions: [{}], unusable: [] });
  });

  it('say so when the conversation is not what is expected', async () => {
    const session = await store.create(ABOUT);
    await session.writeConversation({ messages: 5 });
    await expect(session.readConversation(z.object({ messages: z.string() }))).rejects.toMatchObject({
      code: 'corrupt-store',
      message: expect.stringMatching(/conversation\.json can't be used: .*messages/s) as string,
    });
    await session.close();
  });

  it('keep the conversation when a stale cache is dropped', async () => {
    const session = await store.create(ABOUT);
    await append(await session.openCache({ ...cacheOf, pool }), 2);
    await session.writeConversation('kept');
    const other = { ...cacheOf, identity: { ...IDENTITY, runtime: 'newer' }, pool };
    await expect(session.openCache(other)).rejects.toMatchObject({ code: 'stale-store' });
    await session.dropCache();
    const cache = await session.openCache(other);
    expect(cache.blocks).toBe(0);
    await append(cache, 1);
    expect(await wrongRowsOf(cache)).toBe(0);
    expect(await session.readConversation(z.string())).toBe('kept');
    await session.close();
  });
});

describe('temporary sessions', () => {
  const temporary = { ...ABOUT, isTemporary: true };

  it('are gone when they are closed', async () => {
    const session = await store.create(temporary);
    expect(await listed()).toEqual(['Talk']);
    await append(await session.openCache({ ...cacheOf, pool }), 1);
    await session.close();
    expect(existsSync(session.folder)).toBe(false);
    expect(readdirSync(root)).toEqual([]);
  });

  it('of dead processes are swept, those of living ones are not', async () => {
    const mine = await store.create(temporary);
    const kept = await store.create({ ...ABOUT, title: 'kept' });
    await kept.close();
    const mark = `${spawnSync(process.execPath, ['-e', '']).pid}-1`;
    const theirs = join(root, '.temporary', mark, mine.facts.id);
    cpSync(mine.folder, theirs, { recursive: true });
    await store.sweep();
    expect(existsSync(theirs)).toBe(false);
    expect([...(await listed())].sort()).toEqual(['Talk', 'kept']);
    await mine.close();
    await store.sweep();
    expect(readdirSync(root)).toEqual([kept.facts.id]);
  });
});
