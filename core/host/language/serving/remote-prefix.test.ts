import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import type { KvPrefixes } from '../../../serving';
import { startTestServer, type TestServer } from '../../../serving/test-support/test-server';
import {
  BLOCK_TOKENS,
  CacheReaderPool,
  DiskCache,
  openRemotePrefix,
  VericacheSource,
  type CacheIdentity,
  type OpenRemotePrefix,
  type RemotePrefixRequest,
} from '../../../vericache';
import { collect, TinyChat, WARM } from '../../../vericache/test-support/tiny-chat';
import { Relay } from '../../test-support/relay';
import { LibraryPrefixes } from './library-prefixes';
import { cacheIdentityOf } from '../vericache-cache';

const TOKEN = 'a-token-of-twenty-characters';
const WEIGHTS = 'ab'.repeat(32);
/** Served by the fake models of the test server. */
const MODEL = 'parrot';

let tiny: TinyChat;
let pool: CacheReaderPool;
let folder: string;
let identity: CacheIdentity;
let server: TestServer;
let relay: Relay;
let prefixes: LibraryPrefixes;
let prefills: number;
let tamper: (body: Buffer) => Buffer | Promise<Buffer>;

beforeAll(async () => {
  tiny = await TinyChat.open();
  pool = CacheReaderPool.start();
  identity = cacheIdentityOf(tiny.model, WEIGHTS, tiny.environment);
});
afterAll(async () => {
  await pool.close();
  tiny.close();
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-remote-'));
  prefills = 0;
  tamper = (body) => body;
  const { model, environment } = tiny;
  const loaded = { model, environment, sha256: WEIGHTS, longestTokenBytes: 1 };
  prefixes = await LibraryPrefixes.open(join(folder, 'node'), { load: () => Promise.resolve(loaded) });
  const node: KvPrefixes = {
    find: (hashes) => prefixes.find(hashes),
    prefill: (request, signal) => {
      prefills += 1;
      return prefixes.prefill(request, signal);
    },
    layer: async (id, layer, blocks) => tamper(await prefixes.layer(id, layer, blocks)),
  };
  server = await startTestServer({ prefixes: node, token: TOKEN });
  relay = await Relay.start(server.port);
});
afterEach(async () => {
  await relay.cut();
  await server.close();
  await prefixes.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Continued extends OpenRemotePrefix {
  readonly source: VericacheSource;
  readonly close: () => Promise<void>;
}

let clients = 0;

async function openLocal(): Promise<DiskCache> {
  const { layers, kvHeads, headDim } = tiny.model.decoder.config;
  const shape = { layers, kvHeads, headDim, capacityTokens: 2048 };
  clients += 1;
  return DiskCache.open({ folder: join(folder, `client-${clients}`), shape, identity, pool });
}

async function openPrefix(
  tokens: readonly number[],
  change: Partial<RemotePrefixRequest> = {},
): Promise<OpenRemotePrefix> {
  const local = await openLocal();
  try {
    const node = { url: relay.url, token: TOKEN };
    return await openRemotePrefix({
      node,
      model: MODEL,
      identity,
      tokens,
      local,
      missing: 'prefill',
      ...change,
    });
  } catch (error) {
    await local.close();
    throw error;
  }
}

/** A source over the node's blocks, its prompt taken in. */
async function continued(
  tokens: readonly number[],
  change: Partial<RemotePrefixRequest> = {},
): Promise<Continued> {
  const opened = await openPrefix(tokens, change);
  const source = VericacheSource.open(
    tiny.options(tiny.fullCache(), {
      fullCache: opened.cache,
      storedText: opened.storedText,
      sampling: WARM,
    }),
  );
  expect(await source.prefill(tokens)).toBe(opened.storedText.length);
  const close = async (): Promise<void> => {
    await source.close();
    await opened.cache.close();
  };
  return { ...opened, source, close };
}

describe('a text over a prefix on another node', () => {
  it('is that of plain decoding, and the prompt is computed once for all', async () => {
    const prompt = tiny.text(4 * BLOCK_TOKENS + 40);
    const expected = await tiny.plainly(prompt, 100, WARM);
    for (const missing of ['prefill', 'prefill', 'find'] as const) {
      const { source, cache, storedText, close } = await continued(prompt, { missing });
      expect(storedText).toEqual(prompt.slice(0, 4 * BLOCK_TOKENS));
      expect(await collect(source, 100)).toEqual(expected);
      expect(cache.blocksOnNode).toBe(4);
      await source.settled();
      expect(cache.blocks).toBe(5);
      await close();
    }
    expect(prefills).toBe(1);
  });

  it('that parts with the one on the node uses what they share, and can be kept there too', async () => {
    const prompt = tiny.text(3 * BLOCK_TOKENS + 1);
    await (await openPrefix(prompt)).cache.close();
    const other = [...prompt.slice(0, 2 * BLOCK_TOKENS + 50), ...tiny.text(2 * BLOCK_TOKENS, 31)];
    const found = await continued(other, { missing: 'find' });
    expect(found.cache.blocksOnNode).toBe(2);
    expect(await collect(found.source, 60)).toEqual(await tiny.plainly(other, 60, WARM));
    await found.close();
    const whole = await continued(other);
    expect(whole.cache.blocksOnNode).toBe(4);
    expect(await collect(whole.source, 60)).toEqual(await tiny.plainly(other, 60, WARM));
    await whole.close();
  });

  it('that is taken up earlier keeps what it shares with the one on the node', async () => {
    const prompt = tiny.text(4 * BLOCK_TOKENS + 40);
    const { source, cache, close } = await continued(prompt);
    await collect(source, 150);
    await source.settled();
    expect(cache.blocks).toBe(5);
    const other = [...prompt.slice(0, 2 * BLOCK_TOKENS + 50), ...tiny.text(300, 31)];
    expect(await source.prefill(other)).toBe(2 * BLOCK_TOKENS);
    expect(cache.blocksOnNode).toBe(2);
    expect(await collect(source, 60)).toEqual(await tiny.plainly(other, 60, WARM));
    await relay.cut();
    expect(await source.prefill([...other, 1, 2, 3])).toBeGreaterThanOrEqual(0);
    expect(await collect(source, 60)).toEqual(await tiny.plainly([...other, 1, 2, 3], 60, WARM));
    await close();
  });

  it('too short for a block asks nobody', async () => {
    await relay.cut();
    const prompt = tiny.text(BLOCK_TOKENS);
    const { source, close } = await continued(prompt);
    expect(await collect(source, 200)).toEqual(await tiny.plainly(prompt, 200, WARM));
    await close();
  });
});

describe('in mid-generation', () => {
  const prompt = (): number[] => tiny.text(4 * BLOCK_TOKENS + 40);

  it('a node that is gone is done without', async () => {
    const { source, cache, close } = await continued(prompt());
    const tokens = await collect(source, 150);
    await source.settled();
    expect(cache.blocks).toBe(5);
    await relay.cut();
    tokens.push(...(await collect(source, 150)));
    expect(tokens).toEqual(await tiny.plainly(prompt(), 300, WARM));
    expect(cache.blocksOnNode).toBe(0);
    await source.settled();
    expect(cache.blocks).toBe(6);
    await close();
  });

  it('a node that is silent is done without once the deadline has passed', async () => {
    const timers = new Set<() => void>();
    const clock = {
      after: (_delayMs: number, run: () => void) => {
        timers.add(run);
        return () => timers.delete(run);
      },
    };
    const { source, cache, close } = await continued(prompt(), {
      node: { url: relay.url, token: TOKEN, clock },
    });
    const tokens = await collect(source, 20);
    const silent = new Promise<void>((asked) => {
      tamper = () => {
        asked();
        return new Promise(() => undefined);
      };
    });
    const rest = collect(source, 60);
    await silent;
    while (cache.blocksOnNode > 0) {
      for (const run of [...timers]) if (timers.delete(run)) run();
      await new Promise((resolve) => setImmediate(resolve));
    }
    tokens.push(...(await rest));
    expect(tokens).toEqual(await tiny.plainly(prompt(), 80, WARM));
    await close();
  });

  it.each<[string, (body: Buffer) => Buffer, number]>([
    ['a damaged first block', (body) => flipped(body, 200), 0],
    ['a damaged last block', (body) => flipped(body, body.byteLength - 1), 3],
    ['a damaged checksum', (body) => flipped(body, 0), 0],
    ['half a layer', (body) => body.subarray(0, body.byteLength / 2), 0],
    ['nothing', () => Buffer.alloc(0), 0],
    ['more than a layer', (body) => Buffer.concat([body, Buffer.alloc(1)]), 0],
  ])('a node that sends %s is not believed', async (_what, damage, left) => {
    const { source, cache, close } = await continued(prompt());
    const tokens = await collect(source, 20);
    tamper = (body) => (cache.blocksOnNode === 4 ? damage(body) : body);
    tokens.push(...(await collect(source, 60)));
    expect(tokens).toEqual(await tiny.plainly(prompt(), 80, WARM));
    expect(cache.blocksOnNode).toBe(left);
    await close();
  });

  it('what was damaged on the way once is asked for again', async () => {
    const { source, cache, close } = await continued(prompt());
    const tokens = await collect(source, 20);
    let isFirst = true;
    tamper = (body) => {
      const sent = isFirst ? flipped(body, body.byteLength - 1) : body;
      isFirst = false;
      return sent;
    };
    tokens.push(...(await collect(source, 60)));
    expect(tokens).toEqual(await tiny.plainly(prompt(), 80, WARM));
    expect(cache.blocksOnNode).toBe(4);
    await close();
  });
});

describe('a node is refused', () => {
  const prompt = (): number[] => tiny.text(2 * BLOCK_TOKENS + 1);

  it.each(['weights', 'runtime', 'instructionSet', 'precision'] as const)(
    'whose %s is another',
    async (name) => {
      const change = { identity: { ...identity, [name]: 'another' } };
      await expect(openPrefix(prompt(), change)).rejects.toMatchObject({
        code: 'conflict',
        message: expect.stringMatching(new RegExp(`${name} .* instead of another`)) as string,
      });
    },
  );

  it('without its token, or with a wrong one', async () => {
    for (const node of [{ url: relay.url }, { url: relay.url, token: 'b'.repeat(20) }]) {
      await expect(openPrefix(prompt(), { node })).rejects.toMatchObject({ code: 'unauthorized' });
    }
  });

  it('that does not serve the model', async () => {
    await expect(openPrefix(prompt(), { model: 'nobody' })).rejects.toMatchObject({ code: 'not-found' });
  });

  it('that can not be reached, or has no address', async () => {
    await expect(openPrefix(prompt(), { node: { url: 'ftp://node' } })).rejects.toMatchObject({
      code: 'bad-input',
    });
    await relay.cut();
    await expect(openPrefix(prompt())).rejects.toMatchObject({ code: 'unavailable' });
  });
});

function flipped(body: Buffer, at: number): Buffer {
  const copy = Buffer.from(body);
  copy[at]! ^= 1;
  return copy;
}
