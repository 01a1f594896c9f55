import { afterEach, beforeEach, expect, it } from 'vitest';

import { ask } from '../test-support/api-client';
import { startTestServer, type TestServer } from '../test-support/test-server';
import type { KvPrefillRequest, KvPrefixes } from './kv-prefixes';

const ID = 'a1'.repeat(32);
const PREFIX = { id: ID, blocks: 2, identity: { weights: 'w' } };
const LAYER = `/v1/kv/${ID}/layers/1?blocks=2`;
const tokens = Array.from({ length: 256 }, (_, index) => index);
const prefill = (more: object = {}): object => ({
  model: 'parrot',
  identity: { weights: 'w' },
  tokens,
  ...more,
});

let server: TestServer;
let asked: KvPrefillRequest[];
let layers: (readonly [string, number, number])[];
let mayAnswer: Promise<void>;
const prefixes: KvPrefixes = {
  find: ([first]) => (first === ID ? PREFIX : undefined),
  prefill: (request) => {
    asked.push(request);
    return Promise.resolve(PREFIX);
  },
  layer: async (...which) => {
    layers.push(which);
    await mayAnswer;
    return Buffer.from('bytes');
  },
};

beforeEach(async () => {
  asked = [];
  layers = [];
  mayAnswer = Promise.resolve();
  server = await startTestServer({ prefixes });
});
afterEach(() => server.close());

it('a prefix is computed, found by the names of its blocks, and sent layer by layer', async () => {
  expect((await ask(`${server.url}/v1/kv/prefill`, prefill())).json()).toEqual(PREFIX);
  expect(asked).toEqual([prefill()]);
  expect((await ask(`${server.url}/v1/kv/find`, { hashes: [ID] })).json()).toEqual({ prefix: PREFIX });
  expect((await ask(`${server.url}/v1/kv/find`, { hashes: [] })).json()).toEqual({ prefix: null });
  const sent = await ask(`${server.url}${LAYER}`);
  expect(sent.text).toBe('bytes');
  expect(sent.headers.get('content-type')).toBe('application/octet-stream');
  expect(layers).toEqual([[ID, 1, 2]]);
});

it.each<[string, string, unknown, number, RegExp]>([
  ['no JSON', '/v1/kv/find', '{', 400, /bytes of JSON/],
  ['no names', '/v1/kv/find', {}, 400, /hashes: expected at most/],
  ['names of nothing', '/v1/kv/find', { hashes: ['x', 'y'] }, 400, /hashes: expected .* hexadecimal/],
  ['no model', '/v1/kv/prefill', prefill({ model: undefined }), 400, /model/],
  ['another model', '/v1/kv/prefill', prefill({ model: 'nobody' }), 404, /no language model "nobody"/],
  ['no identity', '/v1/kv/prefill', prefill({ identity: 'x' }), 400, /identity/],
  ['half a block', '/v1/kv/prefill', prefill({ tokens: [1, 2] }), 400, /tokens: expected .* blocks of 128/],
  ['no tokens', '/v1/kv/prefill', prefill({ tokens: [] }), 400, /tokens/],
  ['fractions', '/v1/kv/prefill', prefill({ tokens: tokens.map((token) => token + 0.5) }), 400, /tokens/],
  ['a path as id', '/v1/kv/..%2F..%2Fx/layers/0?blocks=1', undefined, 400, /id: expected 64/],
  ['no number of blocks', `/v1/kv/${ID}/layers/1`, undefined, 400, /blocks/],
  ['no layer', `/v1/kv/${ID}/layers/-1?blocks=1`, undefined, 400, /layer/],
])('%s is refused', async (_what, path, body, status, message) => {
  const answer = await ask(`${server.url}${path}`, body);
  expect(answer.status).toBe(status);
  expect(answer.json()['error']).toMatch(message);
  expect([...asked, ...layers]).toEqual([]);
});

it('so many layers are on their way at once, and room is made when whoever asked is gone', async () => {
  let answer = (): void => undefined;
  mayAnswer = new Promise((resolve) => (answer = resolve));
  const gone = new AbortController();
  const first = Array.from({ length: 16 }, () =>
    fetch(`${server.url}${LAYER}`, { signal: gone.signal }).catch(() => undefined),
  );
  while (layers.length < 16) await new Promise((resolve) => setImmediate(resolve));
  const refused = await ask(`${server.url}${LAYER}`);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  gone.abort();
  await Promise.all(first);
  answer();
  let status = 503;
  while (status === 503) ({ status } = await ask(`${server.url}${LAYER}`));
  expect(status).toBe(200);
});

it('nothing is there without the token, nor on a server without prefixes', async () => {
  const closed = await startTestServer({ prefixes, token: 'a-token-of-twenty-characters' });
  for (const [path, body] of [
    ['/v1/kv/find', { hashes: [ID] }],
    ['/v1/kv/prefill', prefill()],
    [LAYER, undefined],
  ] as const) {
    expect((await ask(`${closed.url}${path}`, body)).status).toBe(401);
  }
  await closed.close();
  const without = await startTestServer();
  expect((await ask(`${without.url}/v1/kv/find`, { hashes: [ID] })).status).toBe(404);
  await without.close();
});
