import { request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { SluiceError } from '../../contract';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';
import { rawConnection } from '../test-support/raw-http';

const LIMITS = { bodyBytes: 20_000, headersTimeoutMs: 200, requestTimeoutMs: 400 };

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ limits: LIMITS, queueCapacity: 2 });
});
afterAll(() => server.close());
beforeEach(() => {
  server.models.fault = undefined;
  server.models.computeMs = 0;
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown>;
}

async function ask(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const isGet = body === undefined;
  const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
  const init = isGet ? { headers } : { method: 'POST', body: raw, headers };
  const response = await fetch(`${server.url}${path}`, init);
  const text = await response.text();
  const json = (text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : { text }) as Answer['json'];
  return { status: response.status, headers: response.headers, json };
}

const x = (data: unknown, more: object = {}): object => ({
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data, ...more }],
});

/** After whatever happened, the next request gets its answer. */
async function servesOn(): Promise<void> {
  expect(await ask('/v2/models/echo-fp32/infer', x([1, 2]))).toMatchObject({ status: 200 });
}

describe('what the server tells', () => {
  it('health, metadata, readiness', async () => {
    expect(await ask('/v2/health/live')).toMatchObject({ status: 200, json: { live: true } });
    expect(await ask('/v2/health/ready')).toMatchObject({ status: 200, json: { ready: true } });
    const { json } = await ask('/v2');
    expect(json).toMatchObject({ name: 'sluice', version: '0.0.0', tier: 'edge' });
    expect(json['extensions']).toEqual(expect.arrayContaining(['binary_tensor_data', 'sluice_tier_edge']));
    const metadata = {
      name: 'pair',
      versions: ['1'],
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [2, 2] },
        { name: 'b', datatype: 'INT64', shape: [-1] },
      ],
    };
    expect((await ask('/v2/models/pair')).json).toMatchObject(metadata);
    expect((await ask('/v2/models/pair/versions/1')).json).toMatchObject(metadata);
    expect(await ask('/v2/models/pair/versions/1/ready')).toMatchObject({ status: 200 });
  });

  it('answers an inference with the names asked for, its id, and where the time went', async () => {
    const inputs = [
      { name: 'b', datatype: 'INT64', shape: [1], data: [3] },
      {
        name: 'a',
        datatype: 'FP32',
        shape: [2, 2],
        data: [
          [1, 2],
          [3, 4.5],
        ],
      },
    ];
    const both = await ask('/v2/models/pair/versions/1/infer', { id: 'q7', inputs });
    expect(both.json).toEqual({
      model_name: 'pair',
      model_version: '1',
      id: 'q7',
      outputs: [
        { name: 'a2', datatype: 'FP32', shape: [2, 2], data: [1, 2, 3, 4.5] },
        { name: 'b2', datatype: 'INT64', shape: [1], data: [3] },
      ],
    });
    expect(both.headers.get('server-timing')).toMatch(/^queue;dur=[\d.]+, compute;dur=[\d.]+$/);
    const one = await ask('/v2/models/pair/infer', { inputs, outputs: [{ name: 'b2' }] });
    expect(one.json['outputs']).toMatchObject([{ name: 'b2' }]);
  });

  it('models leave and enter service', async () => {
    const index = async (ready: boolean): Promise<unknown> =>
      (await ask('/v2/repository/index', { ready })).json;
    expect(await ask('/v2/repository/models/pair/unload', {})).toMatchObject({ status: 200 });
    expect(await ask('/v2/models/pair/ready')).toMatchObject({ status: 503 });
    expect(await index(false)).toContainEqual({
      name: 'pair',
      version: '1',
      state: 'UNAVAILABLE',
      reason: 'unloaded',
    });
    expect(await index(true)).not.toContainEqual(expect.objectContaining({ name: 'pair' }));
    const refused = await ask('/v2/models/pair/infer', { inputs: [] });
    expect(refused).toMatchObject({ status: 503, json: { code: 'unavailable' } });
    expect(refused.headers.get('retry-after')).toBeNull();
    expect(await ask('/v2/repository/models/pair/load', '')).toMatchObject({ status: 200 });
    expect(await index(true)).toContainEqual({ name: 'pair', version: '1', state: 'READY', reason: '' });
  });

  it('counts what it did', async () => {
    const before = await ask('/v2/models/echo-bool/stats');
    expect(before.json).toMatchObject({
      tier: 'edge',
      queue: { waiting: 0, running: 0, capacity: 2 },
      model_stats: [{ name: 'echo-bool', inference_count: 0, last_inference: 0 }],
    });
    server.models.computeMs = 2;
    const inputs = [{ name: 'x', datatype: 'BOOL', shape: [1, 1], data: [true] }];
    await ask('/v2/models/echo-bool/infer', { inputs });
    await ask('/v2/models/echo-bool/infer', { inputs: [] });
    const { json } = await ask('/v2/models/echo-bool/versions/1/stats');
    expect(json['model_stats']).toMatchObject([
      {
        inference_count: 1,
        inference_stats: {
          success: { count: 1 },
          fail: { count: 1 },
          queue: { count: 1 },
          compute_infer: { count: 1, ns: 2_000_000 },
        },
      },
    ]);
    expect((await ask('/v2/models/stats')).json['model_stats']).toHaveLength(server.models.list().length);
    const metrics = (await ask('/metrics')).json['text'];
    expect(metrics).toContain(
      'sluice_serving_requests_total{model="echo-bool",version="1",outcome="ok",tier="edge"} 1',
    );
    expect(metrics).toContain(
      'sluice_serving_requests_total{model="echo-bool",version="1",outcome="bad-input",tier="edge"} 1',
    );
    expect(metrics).toContain('sluice_serving_queue_capacity{tier="edge"} 2');
  });
});

/** [what, path, body, headers, status, message] */
const BAD: readonly (readonly [string, string, unknown, Record<string, string>, number, RegExp])[] = [
  ['no such operation', '/v2/nothing', {}, {}, 404, /POST \/v2\/nothing is not an operation/],
  ['an unknown model', '/v2/models/nobody/infer', x([1, 2]), {}, 404, /no model "nobody".*echo-fp32/],
  ['an unknown version', '/v2/models/pair/versions/9/infer', x([]), {}, 404, /no version "9"/],
  [
    'malformed JSON',
    '/v2/models/pair/infer',
    '{"inputs":',
    {},
    400,
    /expected 10 bytes of JSON, found .*JSON/,
  ],
  ['no body', '/v2/models/pair/infer', '', {}, 400, /expected 0 bytes of JSON/],
  ['JSON of something else', '/v2/models/pair/infer', '[1]', {}, 400, /body: .*expected object/],
  [
    'all faults of the form',
    '/v2/models/pair/infer',
    { inputs: [{ name: 1, shape: [-1] }] },
    {},
    400,
    /inputs\.0\.name: .*inputs\.0\.datatype: .*inputs\.0\.shape\.0: /,
  ],
  [
    'all faults of the tensors',
    '/v2/models/pair/infer',
    {
      inputs: [
        { name: 'a', datatype: 'FP64', shape: [4], data: [1, 2, 3] },
        { name: 'c', datatype: 'FP32', shape: [1], data: [1] },
      ],
      outputs: [{ name: 'z' }],
    },
    {},
    400,
    /unknown input "c".*"a": "data": shape \[4\] takes 4 elements, found 3; input "a": expected datatype FP32, found FP64; input "a": expected shape \[2, 2\], found \[4\]; input "b" is missing; expected INT64 \[\?\]; unknown output "z"/,
  ],
  [
    'an unknown datatype',
    '/v2/models/echo-fp32/infer',
    x([1, 2], { datatype: 'FP31' }),
    {},
    400,
    /unknown datatype "FP31"/,
  ],
  [
    'a tensor twice',
    '/v2/models/echo-fp32/infer',
    { inputs: [1, 2].map((v) => ({ name: 'x', datatype: 'FP32', shape: [1, 1], data: [v] })) },
    {},
    400,
    /"x" is given 2 times/,
  ],
  [
    'a header length past the body',
    '/v2/models/echo-fp32/infer',
    x([1, 2]),
    { 'inference-header-content-length': '999' },
    400,
    /expected the bytes of JSON, 0 to \d+ .*found "999"/,
  ],
  [
    'a header length that is no number',
    '/v2/models/echo-fp32/infer',
    x([1, 2]),
    { 'inference-header-content-length': '-1' },
    400,
    /found "-1"/,
  ],
  [
    'a header length within the JSON',
    '/v2/models/echo-fp32/infer',
    x([1, 2]),
    { 'inference-header-content-length': '5' },
    400,
    /expected 5 bytes of JSON/,
  ],
  [
    'too few bytes',
    '/v2/models/echo-fp32/infer',
    x(undefined, { parameters: { binary_data_size: 8 } }),
    {},
    400,
    /binary_data_size is 8, but only 0 bytes are left/,
  ],
  [
    'bytes that do not fit the shape',
    '/v2/models/echo-fp32/infer',
    '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":2}}]}ab',
    { 'inference-header-content-length': '93' },
    400,
    /FP32 \[1, 2\] takes 8 bytes, found 2/,
  ],
  [
    'bytes of nobody',
    '/v2/models/echo-fp32/infer',
    '{"inputs":[]}abc',
    { 'inference-header-content-length': '13' },
    400,
    /add up to 0 bytes, found 3 after the JSON/,
  ],
  [
    'a size that is none',
    '/v2/models/echo-fp32/infer',
    x(undefined, { parameters: { binary_data_size: 'all' } }),
    {},
    400,
    /binary_data_size: .*found "all"/,
  ],
  [
    'shared memory',
    '/v2/models/echo-fp32/infer',
    x(undefined, { parameters: { shared_memory_region: 'r' } }),
    {},
    400,
    /shared memory is not supported/,
  ],
  [
    'a sequence',
    '/v2/models/echo-fp32/infer',
    { ...x([1, 2]), parameters: { sequence_id: 3 } },
    {},
    501,
    /"sequence_id" \(stateful sequences\)/,
  ],
  [
    'the classification extension',
    '/v2/models/echo-fp32/infer',
    { ...x([1, 2]), outputs: [{ name: 'y', parameters: { classification: 2 } }] },
    {},
    501,
    /classification/,
  ],
  ['an oversized body', '/v2/models/echo-fp32/infer', 'a'.repeat(20_001), {}, 413, /body is too large/i],
  [
    'a web page',
    '/v2/models/echo-fp32/infer',
    x([1, 2]),
    { origin: 'http://example.org' },
    401,
    /not for web pages/,
  ],
  [
    'a compressed body',
    '/v2/models/echo-fp32/infer',
    x([1, 2]),
    { 'content-encoding': 'gzip' },
    501,
    /without gzip/,
  ],
  ['an unknown model to load', '/v2/repository/models/nobody/load', {}, {}, 404, /nobody/],
  [
    'a model file to load',
    '/v2/repository/models/pair/load',
    { parameters: { 'file:1/model.onnx': 'AA==' } },
    {},
    501,
    /model files/,
  ],
  ['an index of something else', '/v2/repository/index', { ready: 'yes' }, {}, 400, /ready: /],
];

describe('bad input', () => {
  it.each(BAD)('%s', async (_what, path, body, headers, status, message) => {
    const answer = await ask(path, body, headers);
    expect(answer.json['error']).toMatch(message);
    expect(answer.status).toBe(status);
    await servesOn();
  });

  it.each([
    ['io', 500],
    ['budget-too-small', 507],
    ['engine-down', 503],
  ] as const)('an engine that fails with %s is HTTP %i', async (code, status) => {
    server.models.fault = new SluiceError(code, 'what happened');
    const answer = await ask('/v2/models/echo-fp32/infer', x([1, 2]));
    expect(answer).toMatchObject({ status, json: { error: 'what happened', code } });
  });

  it('BYTES that JSON cannot carry can be had as bytes', async () => {
    const head = JSON.stringify({
      inputs: [{ name: 'x', datatype: 'BYTES', shape: [1, 1], parameters: { binary_data_size: 5 } }],
    });
    const body = Buffer.concat([Buffer.from(head), Buffer.from([1, 0, 0, 0, 0xff])]);
    const headers = { 'inference-header-content-length': String(head.length) };
    expect(await ask('/v2/models/echo-bytes/infer', body, headers)).toMatchObject({
      status: 501,
      json: { error: expect.stringContaining('not UTF-8') as string },
    });
  });
});

describe('clients that misbehave', () => {
  it.each([
    ['headers that trickle', 'GET /v2 HTTP/1.1\r\nhost: localhost\r\n', 'x-a: b\r\n'],
    [
      'a body that trickles',
      'POST /v2/models/echo-fp32/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n',
      'a',
    ],
  ])('%s are cut off', async (_what, first, more) => {
    const { socket, reply } = rawConnection(server.port);
    socket.write(first);
    const drip = setInterval(() => socket.write(more), 30);
    expect(await reply).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
    await servesOn();
  });

  it('something that is no HTTP', async () => {
    const { socket, reply } = rawConnection(server.port);
    socket.write('\x16\x03\x01 hello\r\n\r\n');
    expect(await reply).toMatch(/^HTTP\/1\.1 400 /);
    await servesOn();
  });

  it('a connection reset half-way through its body', async () => {
    const { socket, reply } = rawConnection(server.port);
    socket.write(
      'POST /v2/models/echo-fp32/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{"in',
    );
    await sleep(20);
    socket.resetAndDestroy();
    await reply;
    await servesOn();
  });

  it('a client that goes away while its request waits or runs takes it along', async () => {
    server.models.computeMs = 10_000;
    const begun = server.models.begun;
    const sockets = [1, 2].map(() => {
      const { socket } = rawConnection(server.port);
      const body = JSON.stringify(x([1, 2]));
      socket.write(
        `POST /v2/models/echo-fp32/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      return socket;
    });
    await vi.waitFor(async () =>
      expect((await ask('/v2/models/stats')).json['queue']).toMatchObject({ running: 1, waiting: 1 }),
    );
    for (const socket of sockets) socket.destroy();
    server.models.computeMs = 0;
    await servesOn();
    expect(server.models.begun).toBeLessThanOrEqual(begun + 3);
  });
});

it('a full queue refuses before the body is read, and says when to come back', async () => {
  server.models.computeMs = 300;
  const accepted = [1, 2, 3].map(() => ask('/v2/models/echo-fp32/infer', x([1, 2])));
  await vi.waitFor(async () =>
    expect((await ask('/v2/models/stats')).json['queue']).toMatchObject({ running: 1, waiting: 2 }),
  );
  const refused = await new Promise<{ status: number; retryAfter: string | undefined }>((resolve, reject) => {
    const request = httpRequest(`${server.url}/v2/models/echo-fp32/infer`, {
      method: 'POST',
      headers: { 'content-length': 10_000 },
    });
    request.once('response', ({ statusCode = 0, headers }) => {
      resolve({ status: statusCode, retryAfter: headers['retry-after'] });
      request.destroy();
    });
    request.once('error', reject);
    request.write('{');
  });
  expect(refused).toEqual({ status: 503, retryAfter: expect.stringMatching(/^[1-9]\d*$/) as string });
  expect((await Promise.all(accepted)).map(({ status }) => status)).toEqual([200, 200, 200]);
});
