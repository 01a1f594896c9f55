import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { seededRandom } from '../../base';
import { SluiceError } from '../../contract';
import { DEFAULT_LIMITS, type Listener } from '../../serving';
import { sha256Hex } from '../../storage';
import { ContentCutter } from '../datasets/chunks/content-cutter';
import { DatasetClient } from '../datasets/client/dataset-client';
import {
  makeTree,
  openTestLab,
  randomContent,
  SMALL_CHUNKS,
  treeOf,
  type TestLab,
} from '../datasets/test-support/trees';
import { sealManifest, type TreeEntry } from '../datasets/tree/manifest';
import { datasetRoutes } from './dataset-routes';
import { startLabServer } from './lab-server';

let root: string;
let lab: TestLab;
let node: TestLab;
let listener: Listener;
let base: string;
/** Of PUTs that stored or found a chunk, in order. */
let arrived: string[] = [];
const clients: DatasetClient[] = [];
let count = 0;
const fresh = (): string => join(root, `case-${(count += 1)}`);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'sluice-dataset-routes-'));
  lab = await openTestLab(join(root, 'lab'));
  node = await openTestLab(join(root, 'node'));
  const userOf = ({ headers }: { headers: Record<string, unknown> }) => {
    const name = headers['x-user'];
    if (typeof name !== 'string') throw new SluiceError('unauthorized', 'Who are you?');
    return { name, isEvaluator: name === 'judge' };
  };
  listener = await startLabServer({
    routes: [
      (app) =>
        app.addHook('onSend', async ({ method, url }, { statusCode }) => {
          if (method === 'PUT' && statusCode === 200) arrived.push(url.slice(-64));
        }),
      datasetRoutes({ datasets: lab.datasets, userOf }),
    ],
    token: undefined,
    host: '127.0.0.1',
    port: 0,
    limits: DEFAULT_LIMITS,
  });
  base = `http://127.0.0.1:${listener.port}`;
});
afterEach(async () => {
  arrived = [];
  for (const client of clients.splice(0)) await client.close();
});
afterAll(async () => {
  await listener.close();
  lab.database.close();
  node.database.close();
  rmSync(root, { recursive: true, force: true });
});

function clientOf(user: string, url = base): DatasetClient {
  const client = new DatasetClient({
    url,
    headers: { 'x-user': user },
    cutter: new ContentCutter(SMALL_CHUNKS),
  });
  clients.push(client);
  return client;
}

function ask(method: string, path: string, body?: string | Buffer, headers = {}): Promise<Response> {
  const url = `${base}/api/sluice/datasets${path}`;
  return fetch(url, {
    method,
    headers: { 'x-user': 'ann', ...headers },
    ...(body !== undefined && { body: new Uint8Array(Buffer.from(body)) }),
  });
}

/** Cuts each connection after a random number of bytes in either direction, and counts the cuts. */
async function cuttingProxy(
  seed: number,
  meanBytes: number,
): Promise<{ url: string; server: Server; cuts: () => number }> {
  const random = seededRandom(seed);
  let cuts = 0;
  const server = createServer((socket: Socket) => {
    const upstream = connect(listener.port, '127.0.0.1');
    let left = Math.floor(random() * 2 * meanBytes);
    const end = (): void => {
      socket.destroy();
      upstream.destroy();
    };
    const forward = (to: Socket) => (bytes: Buffer) => {
      const part = bytes.subarray(0, Math.max(0, left));
      left -= bytes.length;
      to.write(part);
      if (left > 0) return;
      cuts += 1;
      setImmediate(end);
    };
    socket.on('data', forward(upstream)).on('error', end).on('close', end);
    upstream.on('data', forward(socket)).on('error', end).on('close', end);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server, cuts: () => cuts };
}

describe('a push and a pull over the network', () => {
  it('bring a folder whole, and the next version only what is new', async () => {
    const source = makeTree(fresh(), {
      data: randomContent(20_000, 1),
      'a/empty': null,
      'a/link': '->../data',
    });
    const client = clientOf('ann');
    const first = await client.push('cars', source, { note: 'first' });
    expect(first).toMatchObject({ version: { number: 1, note: 'first' }, sentBytes: 20_000 });
    expect(await client.push('cars', source)).toMatchObject({ version: { number: 1 }, sentChunks: 0 });
    const target = fresh();
    expect(await client.pull('cars', 'latest', target, { trees: node.trees })).toMatchObject({
      receivedBytes: 20_000,
    });
    expect(treeOf(target)).toEqual(treeOf(source));
    writeFileSync(join(source, 'new'), 'new');
    expect(await client.push('cars', source)).toMatchObject({
      version: { number: 2 },
      sentChunks: 1,
      sentBytes: 3,
    });
    expect(await client.pull('cars', '2', fresh(), { trees: node.trees })).toMatchObject({
      receivedBytes: 3,
    });
  });

  it.each([11, 12, 13])(
    'go on after cuts at random points: no chunk twice, none lost (seed %i)',
    async (seed) => {
      const source = makeTree(fresh(), {
        data: randomContent(60_000, seed),
        more: randomContent(3000, seed + 50),
      });
      const proxy = await cuttingProxy(seed, 30_000);
      try {
        const pushed = await clientOf('ann', proxy.url).push(`cut-${seed}`, source);
        expect(pushed.version.number).toBe(1);
        expect(proxy.cuts()).toBeGreaterThan(1);
        expect(arrived.length).toBe(new Set(arrived).size);
        const local = await lab.datasets.push({ name: 'ann' }, `cut-${seed}`, source);
        expect(local).toMatchObject({ version: { hash: pushed.version.hash, number: 1 }, newChunks: 0 });
        const target = fresh();
        await clientOf('ann', proxy.url).pull(`cut-${seed}`, '1', target, { trees: node.trees });
        expect(treeOf(target)).toEqual(treeOf(source));
      } finally {
        proxy.server.close();
      }
    },
  );

  it('is resumed by the next process', async () => {
    const source = makeTree(fresh(), { data: randomContent(20_000, 21) });
    const stop = new AbortController();
    const onProgress = ({ doneBytes }: { doneBytes: number }): void => {
      if (doneBytes > 8000) stop.abort();
    };
    const first = clientOf('ann').push('resumed', source, { signal: stop.signal, onProgress });
    await expect(first).rejects.toMatchObject({ code: 'cancelled' });
    const sentBefore = new Set(arrived);
    const second = await clientOf('ann').push('resumed', source);
    expect(second.sentBytes).toBeLessThan(13_000);
    expect(arrived.length).toBe(new Set(arrived).size);
    expect(sentBefore.size).toBeGreaterThan(0);
  });

  it('shows hidden parts to evaluators alone, list and chunks', async () => {
    const source = makeTree(fresh(), { train: 'public', 'hidden/answers': 'the answers' });
    const ann = clientOf('ann');
    await ann.push('contest', source, { hidden: ['hidden/'] });
    await ann.edit('contest', { visibility: 'shared' });
    const target = fresh();
    await clientOf('bob').pull('contest', '1', target, { trees: node.trees });
    expect(Object.keys(treeOf(target))).toEqual(['train']);
    const asked = clientOf('bob').pull('contest', '1', fresh(), { trees: node.trees, withHidden: true });
    await expect(asked).rejects.toMatchObject({ code: 'unauthorized' });
    const answers = sha256Hex(Buffer.from('the answers'));
    const bob = { 'x-user': 'bob' };
    expect((await ask('GET', `/contest/versions/1/chunks/${answers}`, undefined, bob)).status).toBe(404);
    const all = fresh();
    await clientOf('judge').pull('contest', '1', all, { trees: node.trees, withHidden: true });
    expect(treeOf(all)).toEqual(treeOf(source));
    // Nor does a hash alone tell that they are in the store, or let a push take them over.
    const missing = await ask(
      'POST',
      '/bobs/pushes/12345678/missing',
      JSON.stringify({ chunks: [answers] }),
      bob,
    );
    expect(await missing.json()).toEqual({ missing: [answers] });
    const { hash, text } = sealManifest({ entries: [fileOf('stolen', answers, 11)], hidden: [] });
    const commit = await ask('POST', `/bobs/pushes/12345678/commit?hash=${hash}`, text, bob);
    expect(await commit.json()).toMatchObject({ error_code: 'MISSING_CHUNKS', missing: [answers] });
  });

  it('says when the lab is gone', async () => {
    const clock = {
      nowMs: () => 0,
      after: (_ms: number, run: () => void) => (queueMicrotask(run), () => undefined),
    };
    const client = new DatasetClient({ url: 'http://127.0.0.1:1', clock });
    clients.push(client);
    const source = makeTree(fresh(), { a: 'a' });
    await expect(client.push('cars', source)).rejects.toThrow(
      /http:\/\/127.0.0.1:1 can't be reached: .*ECONNREFUSED/,
    );
  });
});

const fileOf = (path: string, hash: string, bytes: number): TreeEntry => ({
  path,
  type: 'file',
  mode: 0o644,
  bytes,
  chunks: [[hash, bytes]],
});
const HASH = 'ab'.repeat(32);

describe('the routes of datasets', () => {
  it('give parts of a chunk', async () => {
    await lab.datasets.push({ name: 'ann' }, 'ranges', makeTree(fresh(), { a: 'hello world' }));
    const path = `/ranges/versions/1/chunks/${sha256Hex(Buffer.from('hello world'))}`;
    for (const [range, status, text, shown] of [
      ['bytes=0-4', 206, 'hello', 'bytes 0-4/11'],
      ['bytes=6-', 206, 'world', 'bytes 6-10/11'],
      ['bytes=-3', 206, 'rld', 'bytes 8-10/11'],
      ['bytes=6-99', 206, 'world', 'bytes 6-10/11'],
      ['bytes=11-', 416, '', 'bytes */11'],
      ['bytes=4-2', 200, 'hello world', null],
      ['lines=1-2', 200, 'hello world', null],
    ] as const) {
      const response = await ask('GET', path, undefined, { range });
      const found = [response.status, await response.text(), response.headers.get('content-range')];
      expect(found).toEqual([status, text, shown]);
    }
  });

  it.each<[string, TreeEntry[], RegExp]>([
    ['climbing path', [fileOf('../../etc/cron.d/x', HASH, 1)], /it has the name "\.\."/],
    ['absolute path', [fileOf('/etc/x', HASH, 1)], /it is absolute/],
    ['drive', [fileOf('C:x', HASH, 1)], /begins like a drive/],
    ['NUL', [fileOf('a\0', HASH, 1)], /control character/],
    ['case', [fileOf('A', HASH, 1), fileOf('a', HASH, 1)], /where case is ignored/],
    [
      'way through a link',
      [{ path: 'a', type: 'link', target: '.' }, fileOf('a/b', HASH, 1)],
      /its folder is a link/,
    ],
  ])('refuse a manifest with a %s', async (_what, entries, message) => {
    const { hash, text } = sealManifest({ entries, hidden: [] });
    const response = await ask('POST', `/evil/pushes/12345678/commit?hash=${hash}`, text);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { message: string }).message).toMatch(message);
  });

  it.each<[string, string, string, string | undefined, number, RegExp]>([
    ['unknown dataset', 'GET', '/nothing', undefined, 404, /no dataset \\"nothing\\"/],
    [
      'other bytes',
      'PUT',
      `/x/pushes/12345678/chunks/${HASH}`,
      'hello',
      400,
      /expected the content of this SHA-256/,
    ],
    ['no hash', 'PUT', '/x/pushes/12345678/chunks/..%2f..%2fx', 'hello', 400, /64 lower-case hexadecimal/],
    ['bad push', 'POST', '/x/pushes/..%2fa/missing', '{"chunks":[]}', 400, /The push: expected/],
    ['no list', 'POST', '/x/pushes/12345678/missing', '{"chunks":["x"]}', 400, /chunks\.0/],
    ['no JSON', 'POST', '/x/pushes/12345678/missing', 'hello', 400, /expected 5 bytes of JSON/],
    [
      'another hash',
      'POST',
      `/x/pushes/12345678/commit?hash=${HASH}`,
      '{"format":"sluice-tree-1","hidden":[],"entries":[]}',
      400,
      /expected SHA-256 abab/,
    ],
    ['bad change', 'PATCH', '/ranges', '{"visibility":"open"}', 400, /visibility/],
    ['name of another', 'POST', '/ranges/pushes/12345678/missing', '{"chunks":[]}', 200, /missing/],
  ])('answer %s', async (_what, method, path, body, status, message) => {
    const response = await ask(method, path, body);
    expect(await response.text()).toMatch(message);
    expect(response.status).toBe(status);
  });

  it('let the owner alone push', async () => {
    const response = await ask('POST', '/ranges/pushes/12345678/missing', '{"chunks":[]}', {
      'x-user': 'bob',
    });
    expect(await response.json()).toMatchObject({ error_code: 'RESOURCE_ALREADY_EXISTS' });
  });
});
