import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { seededRandom, type Clock } from '../../../base';
import { sha256Hex } from '../../../storage';
import { PushLease, REMOTE_LEASE_MS, takeLease } from './chunk-leases';
import { ChunkStore } from './chunk-store';
import { collectChunks, DEFAULT_GRACE_MS, withStore } from './collect-chunks';

const HOUR_MS = 3_600_000;
let root: string;
let count = 0;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'sluice-collect-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Goes on only when it is told to. */
class HandClock implements Clock {
  now = 1_700_000_000_000;
  nowMs = (): number => this.now;
  after = (): (() => void) => () => undefined;
}

async function open(): Promise<{ store: ChunkStore; clock: HandClock }> {
  const clock = new HandClock();
  return { store: await ChunkStore.open(join(root, `store-${(count += 1)}`), clock), clock };
}

async function put(store: ChunkStore, text: string): Promise<string> {
  const hash = sha256Hex(Buffer.from(text));
  await store.put(hash, Buffer.from(text));
  return hash;
}

const collect = (store: ChunkStore, ...kept: string[]) => collectChunks(store, async () => new Set(kept));

describe('collectChunks', () => {
  it('removes what nothing refers to once its grace is over', async () => {
    const { store, clock } = await open();
    const [a, b] = [await put(store, 'a'), await put(store, 'bb')];
    clock.now += DEFAULT_GRACE_MS - HOUR_MS;
    expect(await collect(store, a)).toEqual({
      removedChunks: 0,
      removedBytes: 0,
      keptChunks: 2,
      keptBytes: 3,
    });
    clock.now += 2 * HOUR_MS;
    expect(await collect(store, a)).toEqual({
      removedChunks: 1,
      removedBytes: 2,
      keptChunks: 1,
      keptBytes: 1,
    });
    expect(await store.touch(b)).toBe(false);
  });

  it('keeps what was touched since', async () => {
    const { store, clock } = await open();
    const a = await put(store, 'a');
    clock.now += 2 * DEFAULT_GRACE_MS;
    await store.touch(a);
    expect(await collect(store)).toMatchObject({ removedChunks: 0 });
  });

  it('keeps what a push that goes on has touched, however long it takes', async () => {
    const { store, clock } = await open();
    const old = await put(store, 'old');
    clock.now += HOUR_MS;
    const release = await takeLease(store);
    const a = await put(store, 'a');
    clock.now += 10 * DEFAULT_GRACE_MS;
    expect(await collect(store)).toMatchObject({ removedChunks: 1 });
    expect([await store.has(old, 3), await store.has(a, 1)]).toEqual([false, true]);
    await release();
    expect(await collect(store)).toMatchObject({ removedChunks: 1 });
  });

  it('keeps what a push over the network has sent until nothing is heard of it for a day', async () => {
    const { store, clock } = await open();
    const lease = await PushLease.take(store, 'ab12');
    const a = await put(store, 'a');
    await lease.add(a);
    for (let day = 0; day < 3; day += 1) {
      clock.now += REMOTE_LEASE_MS - HOUR_MS;
      expect(await collect(store)).toMatchObject({ removedChunks: 0 });
      const resumed = await PushLease.take(store, 'ab12');
      expect([resumed.has(a), resumed.has(sha256Hex(Buffer.from('b')))]).toEqual([true, false]);
    }
    clock.now += REMOTE_LEASE_MS + HOUR_MS;
    expect(await collect(store)).toMatchObject({ removedChunks: 1 });
    expect(await lease.renew()).toBe(false);
  });

  it('deletes nothing when what refers to chunks can not be read', async () => {
    const { store, clock } = await open();
    const a = await put(store, 'a');
    clock.now += 2 * DEFAULT_GRACE_MS;
    await expect(collectChunks(store, () => Promise.reject(new Error('damaged')))).rejects.toThrow('damaged');
    expect(await store.has(a, 1)).toBe(true);
  });

  it('puts back what a sweep that was killed had moved aside', async () => {
    const { store } = await open();
    const a = await put(store, 'a');
    const aside = join(store.root, 'trash', '999999999-1');
    mkdirSync(aside);
    renameSync(store.pathOf(a), join(aside, a));
    expect(await withStore(store, () => store.has(a, 1))).toBe(true);
    expect(existsSync(aside)).toBe(false);
  });
});

describe('processes on one store', () => {
  let churn: string;
  beforeAll(() => {
    churn = join(root, 'churn.cjs');
    const entryPoints = [join(__dirname, '..', 'test-support', 'churn-process.ts')];
    buildSync({
      entryPoints,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: churn,
      logLevel: 'error',
    });
  });

  function start(folder: string, kind: 'push' | 'collect', seed: number, turns: number): ChildProcess {
    const args = [churn, folder, kind, String(seed), String(turns)];
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async function outputOf(child: ChildProcess): Promise<{ code: unknown; out: string; err: string }> {
    let out = '';
    let err = '';
    child.stdout!.on('data', (text: Buffer) => (out += text.toString()));
    child.stderr!.on('data', (text: Buffer) => (err += text.toString()));
    const [code] = (await once(child, 'close')) as unknown[];
    return { code, out, err };
  }

  function makeFolder(): string {
    const folder = join(root, `shared-${(count += 1)}`);
    mkdirSync(join(folder, 'refs'), { recursive: true });
    return folder;
  }

  /** Every chunk is what its name says, and every one that is referred to is there. */
  async function check(folder: string): Promise<number> {
    const store = await ChunkStore.open(join(folder, 'store'));
    await withStore(store, async () => undefined);
    const found = readdirSync(join(store.root, 'chunks')).flatMap((prefix) =>
      readdirSync(store.folderOf(prefix)),
    );
    for (const hash of found) await store.read(hash);
    const refs = readdirSync(join(folder, 'refs')).filter((name) => !name.endsWith('.tmp'));
    for (const name of refs) {
      const hashes = readFileSync(join(folder, 'refs', name), 'utf8').split('\n');
      expect(hashes.filter((hash) => !found.includes(hash))).toEqual([]);
    }
    return refs.length;
  }

  it('push and collect at once, and nothing that a push refers to is ever gone', async () => {
    const folder = makeFolder();
    const pushers = [1, 2].map((seed) => outputOf(start(folder, 'push', seed, 60)));
    const collectors = [3, 4].map((seed) => outputOf(start(folder, 'collect', seed, 8)));
    for (const { code, err } of await Promise.all(pushers))
      expect({ code, err }).toEqual({ code: 0, err: '' });
    const swept = await Promise.all(collectors);
    for (const { code, err } of swept) expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(swept.some(({ out }) => /removed [1-9]/.test(out))).toBe(true);
    expect(await check(folder)).toBe(2);
  });

  it('are killed at any moment, and no half chunk is seen', async () => {
    const folder = makeFolder();
    const random = seededRandom(7);
    for (let round = 0; round < 5; round += 1) {
      const children = [start(folder, 'push', round, 1000), start(folder, 'collect', round, 1000)];
      // Killed in the midst of the turn behind the last one that was heard of.
      let turns = Math.floor(random() * 6);
      const heard = children[round % 2]!;
      await new Promise<void>((resolve, reject) => {
        heard.stdout!.on('data', () => {
          if ((turns -= 1) < 0) resolve();
        });
        void outputOf(heard).then(({ code, err }) =>
          reject(new Error(`It ended by itself with ${String(code)}: ${err}`)),
        );
      });
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(children.map((child) => once(child, 'close')));
      await check(folder);
    }
  });
});
