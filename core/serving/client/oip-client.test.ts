import type { ServerResponse } from 'node:http';

import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../base';
import type { ErrorCode } from '../../contract';
import { failureOf } from '../../contract/test-support/failure-of';
import { echoOf } from '../test-support/fake-models';
import { ScriptedServer } from '../test-support/scripted-server';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';
import { OipClient } from './oip-client';
import type { OipClientOptions, OipInference } from './oip-client';

const INFERENCE: OipInference = {
  model: 'm',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [2], bytes: new Uint8Array(Float32Array.of(1, 2).buffer) }],
};
const REPLY = { model_name: 'm', outputs: [{ name: 'y', datatype: 'FP32', shape: [2], data: [3, 4] }] };

const clients: OipClient[] = [];
function clientOf(url: string, options: Partial<OipClientOptions> = {}): OipClient {
  const client = new OipClient({ url, ...options });
  clients.push(client);
  return client;
}
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

function json(
  response: ServerResponse,
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, headers).end(JSON.stringify(value));
}

describe('with our server', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server.close());

  it('any tensors come back bit for bit', async () => {
    const client = clientOf(server.url);
    const bytes = fc.uint8Array({ minLength: 0, maxLength: 64 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('FP32' as const, 'INT64' as const), bytes, async (datatype, any) => {
        const size = datatype === 'FP32' ? 4 : 8;
        const count = Math.floor(any.byteLength / size);
        const input = { name: 'x', datatype, shape: [1, count], bytes: any.slice(0, count * size) };
        const { outputs } = await client.infer({ model: echoOf(datatype), inputs: [input] });
        expect(outputs).toEqual([{ ...input, name: 'y', bytes: Buffer.from(input.bytes) }]);
      }),
      { numRuns: 50 },
    );
  });

  it('tells where the time went', async () => {
    server.models.computeMs = 20;
    const { times } = await clientOf(server.url).infer({
      model: 'echo-fp32',
      inputs: [{ ...INFERENCE.inputs[0]!, shape: [1, 2] }],
    });
    server.models.computeMs = 0;
    const { connectMs, sendMs, waitMs, receiveMs, totalMs } = times;
    for (const phase of [connectMs, sendMs, waitMs, receiveMs]) expect(phase).toBeGreaterThanOrEqual(0);
    expect(connectMs + sendMs + waitMs + receiveMs).toBeLessThanOrEqual(totalMs);
    expect(times).toMatchObject({ attempts: 1, computeMs: 20, queueMs: expect.any(Number) as number });
  });

  it('health, metadata and the repository', async () => {
    const client = clientOf(server.url);
    expect(await client.health()).toMatchObject({ state: 'ready' });
    expect(await client.serverMetadata()).toMatchObject({ name: 'sluice' });
    expect((await client.modelMetadata('pair')).inputs).toHaveLength(2);
    await client.unload('pair');
    expect(await client.repositoryIndex()).toContainEqual({
      name: 'pair',
      version: '1',
      state: 'UNAVAILABLE',
      reason: 'unloaded',
    });
    await client.load('pair');
    expect((await failureOf(client.modelMetadata('no/body'))).code).toBe('not-found');
  });
});

describe('with other servers', () => {
  let server: ScriptedServer;
  beforeEach(async () => {
    server = await ScriptedServer.start((response) => json(response, REPLY));
  });
  afterEach(() => server.close());

  const extensions = (names: readonly string[], then: (response: ServerResponse) => void): void => {
    server.answer = (response, { path }) =>
      path === '/v2' ? json(response, { name: 'other', version: '1', extensions: names }) : then(response);
  };

  it.each([
    [
      'lists no extension',
      (response: ServerResponse) => json(response, { name: 'other', extensions: ['x'] }),
    ],
    ['lists nothing', (response: ServerResponse) => json(response, { name: 'other' })],
    ['has no metadata', (response: ServerResponse) => json(response, {}, 404)],
  ])('tensors go as JSON where the server %s', async (_what, metadata) => {
    server.answer = (response, { path }) => (path === '/v2' ? metadata(response) : json(response, REPLY));
    const client = clientOf(server.url);
    const { outputs } = await client.infer({ ...INFERENCE, outputs: ['y'] });
    expect([...new Float32Array(outputs[0]!.bytes.buffer)]).toEqual([3, 4]);
    await client.infer(INFERENCE);
    const [, first, second] = server.requests;
    expect(server.requests).toHaveLength(3);
    expect(first?.headers['inference-header-content-length']).toBeUndefined();
    expect(JSON.parse(first?.body.toString() ?? '')).toEqual({
      inputs: [{ name: 'x', datatype: 'FP32', shape: [2], data: [1, 2] }],
      outputs: [{ name: 'y', parameters: { binary_data: false } }],
    });
    expect(JSON.parse(second?.body.toString() ?? '')).not.toHaveProperty('parameters');
  });

  it('tensors go as bytes where it lists the extension, below a path and with a token', async () => {
    server.answer = (response, { path }) =>
      json(response, path === '/serve/v2' ? { name: 'other', extensions: ['binary_tensor_data'] } : REPLY);
    await clientOf(`${server.url}/serve/`, { token: 'secret' }).infer({
      ...INFERENCE,
      version: '2',
      id: 'q',
    });
    const request = server.requests[1]!;
    const jsonBytes = Number(request.headers['inference-header-content-length']);
    expect(request.path).toBe('/serve/v2/models/m/versions/2/infer');
    expect(request.headers.authorization).toBe('Bearer secret');
    expect(JSON.parse(request.body.subarray(0, jsonBytes).toString())).toEqual({
      id: 'q',
      parameters: { binary_data_output: true },
      inputs: [{ name: 'x', datatype: 'FP32', shape: [2], parameters: { binary_data_size: 8 } }],
    });
    expect(request.body.subarray(jsonBytes)).toEqual(Buffer.from(Float32Array.of(1, 2).buffer));
  });

  /** [HTTP status, headers, code] */
  const STATUSES: readonly (readonly [number, Record<string, string>, ErrorCode])[] = [
    [302, { location: '/' }, 'unavailable'],
    [400, {}, 'bad-input'],
    [401, {}, 'unauthorized'],
    [403, {}, 'unauthorized'],
    [404, {}, 'not-found'],
    [413, {}, 'bad-input'],
    [429, {}, 'overloaded'],
    [500, {}, 'runtime'],
    [501, {}, 'unsupported'],
    [503, {}, 'unavailable'],
    [503, { 'retry-after': '60' }, 'overloaded'],
    [503, { 'retry-after': 'Wed, 01 Jan 2200 00:00:00 GMT' }, 'overloaded'],
    [504, {}, 'timeout'],
  ];

  it.each(STATUSES)('HTTP %i %j is %s, whatever the body says', async (status, headers, code) => {
    extensions([], (response) => json(response, { ...REPLY, error: 'said the server.' }, status, headers));
    const error = await failureOf(clientOf(server.url).infer(INFERENCE));
    expect(error).toMatchObject({ code, details: { status } });
    expect(error.message).toBe(`${server.url} answered HTTP ${status}: said the server.`);
    expect(server.requests).toHaveLength(2);
  });

  const y = (more: object): object => ({
    model_name: 'm',
    outputs: [{ name: 'y', datatype: 'FP32', shape: [2], ...more }],
  });
  const binary = (value: object, tail: string, length?: string) => (response: ServerResponse) => {
    const head = JSON.stringify(value);
    response.setHeader('inference-header-content-length', length ?? String(head.length));
    response.end(head + tail);
  };

  /** [what, answer, message] */
  const GARBAGE: readonly (readonly [string, (response: ServerResponse) => void, RegExp])[] = [
    ['no JSON', (response) => response.end('<html>'), /expected 6 bytes of JSON/],
    ['nothing', (response) => response.end(), /expected 0 bytes of JSON/],
    ['an error as success', (response) => json(response, { error: 'no' }), /model_name: .*outputs: /],
    [
      'an unknown datatype',
      (response) => json(response, y({ datatype: 'FP31', data: [1, 2] })),
      /"y": unknown datatype "FP31"/,
    ],
    ['too few elements', (response) => json(response, y({ data: [1] })), /takes 2 elements, found 1/],
    ['no data', (response) => json(response, y({})), /"data": expected an array, found nothing/],
    ['too few bytes', binary(y({ parameters: { binary_data_size: 8 } }), 'abcd'), /only 4 bytes are left/],
    [
      'too many bytes',
      binary(y({ parameters: { binary_data_size: 8 } }), 'abcdefghij'),
      /add up to 8 bytes, found 10/,
    ],
    [
      'bytes that do not fit',
      binary(y({ parameters: { binary_data_size: 4 } }), 'abcd'),
      /takes 8 bytes, found 4/,
    ],
    [
      'a header length past the end',
      binary(y({ data: [1, 2] }), '', '10000'),
      /Inference-Header-Content-Length/,
    ],
    [
      'no output asked for',
      (response) => json(response, { model_name: 'm', outputs: [] }),
      /"y" was asked for and is missing/,
    ],
    ['too much', (response) => response.end('a'.repeat(5000)), /more than 4000 bytes, the limit here/],
    [
      'half a reply',
      (response) => {
        response.writeHead(200, { 'content-length': 100 }).write('{"model');
        response.socket?.end();
      },
      /broke the connection off/,
    ],
    ['a reset', (response) => response.socket?.resetAndDestroy(), /broke the connection off/],
    ['something that is no HTTP', (response) => response.socket?.end('SSH-2.0-server\r\n'), /no HTTP/],
  ];

  it.each(GARBAGE)('%s is no usable answer, and not asked for again', async (_what, answer, message) => {
    extensions([], answer);
    const client = clientOf(server.url, { maxResponseBytes: 4000 });
    const error = await failureOf(client.infer({ ...INFERENCE, outputs: ['y'] }));
    expect(error.code).toBe('unavailable');
    expect(error.message).toMatch(message);
    expect(error.message).toContain(server.url);
    expect(server.requests).toHaveLength(2);
    extensions([], (response) => json(response, REPLY));
    await client.infer(INFERENCE);
  });

  it('a server that never answers, or never ends its answer, is left at the deadline', async () => {
    const client = clientOf(server.url);
    for (const answer of [
      () => undefined,
      (response: ServerResponse) => response.writeHead(200).write('{'),
    ]) {
      extensions([], answer);
      const error = await failureOf(client.infer(INFERENCE, { deadlineMs: 60 }));
      expect(error).toMatchObject({
        code: 'timeout',
        message: expect.stringContaining(server.url) as string,
      });
    }
  });

  it('the caller can give up, before and while', async () => {
    extensions([], () => undefined);
    const client = clientOf(server.url);
    const before = AbortSignal.abort();
    expect((await failureOf(client.infer(INFERENCE, { signal: before }))).code).toBe('cancelled');
    const { signal, abort } = stopper();
    const asked = client.infer(INFERENCE, { signal });
    setTimeout(abort, 30);
    expect((await failureOf(asked)).code).toBe('cancelled');
    expect(client.breakerState).toBe('closed');
  });

  it('a full server is asked again when it said, within the deadline', async () => {
    let times = 0;
    extensions([], (response) =>
      (times += 1) === 1 ? json(response, {}, 503, { 'retry-after': '0' }) : json(response, REPLY),
    );
    const client = clientOf(server.url);
    expect((await client.infer(INFERENCE)).times.attempts).toBe(2);
    times = 0;
    extensions([], (response) => json(response, {}, 503, { 'retry-after': '2' }));
    const before = server.requests.length;
    expect((await failureOf(client.infer(INFERENCE, { deadlineMs: 1000 }))).code).toBe('overloaded');
    expect(server.requests).toHaveLength(before + 1);
  });

  it('a refused connection is tried again: nothing was sent', async () => {
    const { port } = server;
    await server.close();
    const asked = clientOf(`http://127.0.0.1:${port}`).serverMetadata();
    server = await ScriptedServer.start((response) => json(response, { name: 'back' }), port);
    expect(await asked).toMatchObject({ name: 'back' });
  });

  it('after failures in a row it is left alone for a while, then tried once', async () => {
    let nowMs = 1_000_000;
    const clock = { nowMs: () => nowMs, after: systemClock.after };
    extensions([], (response) => json(response, {}, 500));
    const client = clientOf(server.url, { clock, breaker: { failures: 2, openMs: 5000 } });
    await failureOf(client.infer(INFERENCE));
    await failureOf(client.infer(INFERENCE));
    expect(client.breakerState).toBe('open');
    const { length } = server.requests;
    expect(await failureOf(client.infer(INFERENCE))).toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/failed 2 times in a row/) as string,
    });
    expect(server.requests).toHaveLength(length);
    nowMs += 5000;
    expect(client.breakerState).toBe('half-open');
    extensions([], (response) => json(response, REPLY));
    await client.infer(INFERENCE);
    expect(client.breakerState).toBe('closed');
  });

  it('a probe finds a server that is back, and one that is gone', async () => {
    server.answer = (response) => json(response, {}, 503);
    const client = clientOf(server.url, { breaker: { failures: 1, openMs: 1e9 } });
    expect(await client.health()).toMatchObject({ state: 'not-ready' });
    expect(client.breakerState).toBe('open');
    server.answer = (response) => json(response, {});
    expect(await client.health()).toMatchObject({ state: 'ready' });
    expect(client.breakerState).toBe('closed');
    const gone = clientOf('http://127.0.0.1:1');
    expect(await gone.health()).toMatchObject({
      state: 'unreachable',
      reason: expect.stringContaining('nothing listens') as string,
    });
  });
});

it.each(['ftp://a', 'edge:8000', ''])('%j is no endpoint', (url) => {
  expect(() => new OipClient({ url })).toThrow(/expected a URL like http/);
});

function stopper(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
