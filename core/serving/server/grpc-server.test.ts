import { connect } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';

import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { GrpcClient } from '../test-support/grpc-client';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';

let server: TestServer;
let client: GrpcClient;
beforeAll(async () => {
  const limits = { bodyBytes: 20_000, requestTimeoutMs: 200 };
  server = await startTestServer({ limits, queueCapacity: 1 });
  client = new GrpcClient(server.grpcUrl!);
});
afterAll(async () => {
  client.close();
  await server.close();
});
beforeEach(() => {
  server.models.computeMs = 0;
});

const floats = (...values: number[]): Buffer => Buffer.from(Float32Array.from(values).buffer);
const x = (more: object): object => ({ name: 'x', datatype: 'FP32', shape: [1, 2], ...more });
const echo = (more: object): object => ({ model_name: 'echo-fp32', ...more });

describe('inference.GRPCInferenceService', () => {
  it('tells health, metadata, the repository and statistics', async () => {
    expect((await client.call('ServerLive')).message).toEqual({ live: true });
    expect((await client.call('ServerReady')).message).toEqual({ ready: true });
    expect((await client.call('ServerMetadata')).message).toMatchObject({ name: 'sluice', version: '0.0.0' });
    expect((await client.call('ModelReady', { name: 'pair' })).message).toEqual({ ready: true });
    expect((await client.call('ModelMetadata', { name: 'pair' })).message).toMatchObject({
      versions: ['1'],
      inputs: [
        { name: 'a', datatype: 'FP32', shape: [2, 2] },
        { name: 'b', datatype: 'INT64', shape: [-1] },
      ],
    });
    await client.call('RepositoryModelUnload', { model_name: 'pair' });
    expect((await client.call('ModelReady', { name: 'pair' })).message).toEqual({ ready: false });
    const { message } = await client.call('RepositoryIndex');
    expect(message['models']).toContainEqual(
      expect.objectContaining({ name: 'pair', state: 'UNAVAILABLE' }) as object,
    );
    await client.call('RepositoryModelLoad', { model_name: 'pair' });
    expect((await client.call('ModelStatistics', { name: 'pair' })).message).toMatchObject({
      model_stats: [{ name: 'pair', version: '1', inference_count: 0 }],
    });
  });

  it('infers from raw contents, and gives raw contents and the server-timing back', async () => {
    const request = echo({ id: 'q7', inputs: [x({})], raw_input_contents: [floats(1, -0)] });
    const { message, trailer } = await client.call('ModelInfer', request);
    expect(message).toMatchObject({
      model_name: 'echo-fp32',
      model_version: '1',
      id: 'q7',
      outputs: [{ name: 'y', datatype: 'FP32', shape: [1, 2] }],
      raw_output_contents: [floats(1, -0)],
    });
    expect(trailer.get('server-timing')[0]).toMatch(/^queue;dur=/);
  });

  it.each([
    ['BOOL', { bool_contents: [true, false] }, Buffer.from([1, 0])],
    ['INT8', { int_contents: [-1, 2] }, Buffer.from([255, 2])],
    ['UINT16', { uint_contents: [1, 65535] }, Buffer.from([1, 0, 255, 255])],
    ['INT64', { int64_contents: ['-9007199254740993', 1] }, bigints(-9007199254740993n, 1n)],
    ['FP32', { fp32_contents: [NaN, -Infinity] }, floats(NaN, -Infinity)],
    ['FP64', { fp64_contents: [0.1, 1e300] }, Buffer.from(Float64Array.of(0.1, 1e300).buffer)],
    [
      'BYTES',
      { bytes_contents: [Buffer.from('a'), Buffer.from([0xff])] },
      Buffer.from([1, 0, 0, 0, 97, 1, 0, 0, 0, 255]),
    ],
  ])('takes %s in typed contents', async (datatype, contents, bytes) => {
    const inputs = [x({ datatype, contents })];
    const { message } = await client.call('ModelInfer', {
      model_name: `echo-${datatype.toLowerCase()}`,
      inputs,
    });
    expect(message['raw_output_contents']).toEqual([bytes]);
  });
});

function bigints(...values: bigint[]): Buffer {
  return Buffer.from(BigInt64Array.from(values).buffer);
}

/** [what, method, request, status, details] */
const BAD: readonly (readonly [string, string, object, status, RegExp])[] = [
  ['an unknown model', 'ModelInfer', { model_name: 'nobody' }, status.NOT_FOUND, /no model "nobody"/],
  ['an unknown model to load', 'RepositoryModelLoad', { model_name: 'nobody' }, status.NOT_FOUND, /nobody/],
  [
    'statistics of an unknown version',
    'ModelStatistics',
    { name: 'pair', version: '2' },
    status.NOT_FOUND,
    /no version "2"/,
  ],
  [
    'all faults at once',
    'ModelInfer',
    {
      model_name: 'pair',
      inputs: [{ name: 'a', datatype: 'FP64', shape: [1], contents: { fp64_contents: [1] } }, { name: 'c' }],
    },
    status.INVALID_ARGUMENT,
    /unknown input "c".*datatype FP32, found FP64; .*shape \[2, 2\], found \[1\]; input "b" is missing/,
  ],
  [
    'too few raw contents',
    'ModelInfer',
    { model_name: 'pair', inputs: [x({}), x({})], raw_input_contents: [floats(1)] },
    status.INVALID_ARGUMENT,
    /one entry for each of 2 inputs, found 1/,
  ],
  [
    'raw contents of the wrong size',
    'ModelInfer',
    echo({ inputs: [x({})], raw_input_contents: [floats(1)] }),
    status.INVALID_ARGUMENT,
    /takes 8 bytes, found 4/,
  ],
  [
    'both contents',
    'ModelInfer',
    echo({ inputs: [x({ contents: { fp32_contents: [1, 2] } })], raw_input_contents: [floats(1, 2)] }),
    status.INVALID_ARGUMENT,
    /both contents and raw_input_contents/,
  ],
  [
    'no contents',
    'ModelInfer',
    echo({ inputs: [x({})] }),
    status.INVALID_ARGUMENT,
    /fp32_contents: shape \[1, 2\] takes 2 elements, found 0/,
  ],
  [
    'half precision in typed contents',
    'ModelInfer',
    { model_name: 'echo-fp16', inputs: [x({ datatype: 'FP16' })] },
    status.INVALID_ARGUMENT,
    /FP16 travels in raw_input_contents only/,
  ],
  [
    'an integer out of range',
    'ModelInfer',
    { model_name: 'echo-int8', inputs: [x({ datatype: 'INT8', contents: { int_contents: [1, 128] } })] },
    status.INVALID_ARGUMENT,
    /int_contents element 1: expected a whole number from -128 to 127/,
  ],
  [
    'shared memory',
    'ModelInfer',
    echo({ inputs: [x({ parameters: { shared_memory_region: { string_param: 'r' } } })] }),
    status.UNIMPLEMENTED,
    /shared memory/,
  ],
  [
    'an oversized message',
    'ModelInfer',
    echo({ inputs: [x({})], raw_input_contents: [Buffer.alloc(30_000)] }),
    status.RESOURCE_EXHAUSTED,
    /larger than max/,
  ],
];

describe('bad input', () => {
  it.each(BAD)('%s', async (_what, method, request, code, details) => {
    await expect(client.call(method, request)).rejects.toMatchObject({
      code,
      details: expect.stringMatching(details) as string,
    });
    await client.call('ModelInfer', echo({ inputs: [x({})], raw_input_contents: [floats(1, 2)] }));
  });

  it('a full queue is RESOURCE_EXHAUSTED with a pause for the client; one queue serves both protocols', async () => {
    server.models.computeMs = 200;
    const request = echo({ inputs: [x({})], raw_input_contents: [floats(1, 2)] });
    const accepted = [client.call('ModelInfer', request), client.call('ModelInfer', request)];
    const stats = async (): Promise<object> =>
      (await (await fetch(`${server.url}/v2/models/stats`)).json()) as object;
    await vi.waitFor(async () => expect(await stats()).toMatchObject({ queue: { running: 1, waiting: 1 } }));
    const error = (await client.call('ModelInfer', request).catch((thrown: unknown) => thrown)) as {
      code: number;
      metadata: { get(key: string): unknown[] };
    };
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.metadata.get('grpc-retry-pushback-ms')).toEqual(['1000']);
    const http = await fetch(`${server.url}/v2/models/echo-fp32/infer`, { method: 'POST', body: '{}' });
    expect(http.status).toBe(503);
    await Promise.all(accepted);
  });

  it('a caller that cancels takes its request along', async () => {
    server.models.computeMs = 10_000;
    const cancel = new AbortController();
    const request = echo({ inputs: [x({})], raw_input_contents: [floats(1, 2)] });
    const { begun } = server.models;
    const cancelled = client.call('ModelInfer', request, { signal: cancel.signal });
    await vi.waitFor(() => expect(server.models.begun).toBe(begun + 1));
    cancel.abort();
    await expect(cancelled).rejects.toMatchObject({ code: status.CANCELLED });
    server.models.computeMs = 0;
    await client.call('ModelInfer', request);
  });

  it('a call whose message never comes is cut off', async () => {
    const session = connect(`http://${server.grpcUrl}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/inference.GRPCInferenceService/ModelInfer',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.write(Buffer.from([0, 0, 0]));
    const told = await new Promise((resolve) => {
      // A call without any message is answered by trailers alone, which HTTP/2 calls headers.
      const listen = (headers: IncomingHttpHeaders): void => resolve(headers['grpc-status']);
      stream.once('response', listen);
      stream.once('trailers', listen);
    });
    session.destroy();
    expect(told).toBe(String(status.DEADLINE_EXCEEDED));
  });
});
