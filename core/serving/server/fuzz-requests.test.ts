import { Client, credentials, status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { damaged } from '../../base/test-support/mutate';
import { nearly } from '../../contract/test-support/rubbish';
import { JSON_LENGTH_HEADER } from '../protocol/frame';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';

const RUNS = { numRuns: process.env['SLUICE_FUZZ'] === '1' ? 2000 : 200, endOnFailure: true };
const INFER = '/v2/models/echo-fp32/infer';
const SOUND = {
  id: 'q',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
  outputs: [{ name: 'x' }],
};

let server: TestServer;
let client: Client;
beforeAll(async () => {
  server = await startTestServer({ limits: { bodyBytes: 1 << 20 } });
  client = new Client(server.grpcUrl ?? '', credentials.createInsecure());
});
afterAll(async () => {
  client.close();
  await server.close();
});

async function post(
  path: string,
  body: Uint8Array | string,
  headers: Record<string, string> = {},
): Promise<number> {
  const response = await fetch(`${server.url}${path}`, { method: 'POST', body, headers });
  await response.arrayBuffer();
  return response.status;
}

async function expectHandled(code: number): Promise<void> {
  expect(code === 200 || (code >= 400 && code < 500), `HTTP ${code}`).toBe(true);
  expect(await post(INFER, JSON.stringify({ inputs: SOUND.inputs }))).toBe(200);
}

/** What JSON can say of a value; much of it is left out or null then. */
function written(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, member: unknown) => {
      if (Array.isArray(member) && member.length > 1e5) return null;
      return typeof member === 'bigint' ? Number(member) : member;
    });
  } catch {
    return '{"inputs": [[[[[[[[[[[[';
  }
}

describe('requests of an inference', () => {
  it('as JSON with rubbish in it are answered or refused', async () => {
    const body = fc.oneof(
      nearly(SOUND).filter(isWritable).map(written),
      damaged(Buffer.from(JSON.stringify(SOUND)), 'text'),
    );
    await fc.assert(
      fc.asyncProperty(body, async (made) => expectHandled(await post(INFER, made))),
      RUNS,
    );
  });

  it('as JSON followed by damaged tensors are answered or refused', async () => {
    const [input] = SOUND.inputs;
    const { data: _data, ...rest } = input!;
    const json = JSON.stringify({ inputs: [{ ...rest, parameters: { binary_data_size: 8 } }] });
    const sound = Buffer.concat([Buffer.from(json), Buffer.from(Float32Array.of(1, 2).buffer)]);
    const length = fc.oneof(
      fc.constant(String(json.length)),
      fc.constantFrom('0', '-1', '1e9', '99999999999', 'x', ''),
    );
    expect(await post(INFER, sound, { [JSON_LENGTH_HEADER]: String(json.length) })).toBe(200);
    await fc.assert(
      fc.asyncProperty(damaged(sound), length, async (body, told) =>
        expectHandled(await post(INFER, body, { [JSON_LENGTH_HEADER]: told })),
      ),
      RUNS,
    );
  });

  it('as gRPC messages that are damaged are answered or refused', async () => {
    const x = Buffer.concat([field(1, 'x'), field(2, 'FP32'), Buffer.from([0x1a, 2, 1, 2])]);
    const sound = Buffer.concat([
      field(1, 'echo-fp32'),
      field(5, x),
      field(7, Buffer.from(Float32Array.of(1, 2).buffer)),
    ]);
    expect(await call(sound)).toBe(status.OK);
    const fine = [
      status.OK,
      status.INVALID_ARGUMENT,
      status.NOT_FOUND,
      status.RESOURCE_EXHAUSTED,
      status.UNIMPLEMENTED,
    ];
    await fc.assert(
      fc.asyncProperty(damaged(sound), async (message) => {
        expect([...fine, status.INTERNAL]).toContain(await call(message));
        expect(await call(sound)).toBe(status.OK);
      }),
      RUNS,
    );
  });
});

/** Circles and what doubles with each level have no end as text. */
function isWritable(value: unknown): boolean {
  let left = 5000;
  const walk = (one: unknown, depth: number): boolean => {
    if (--left < 0 || depth > 200) return false;
    if (typeof one !== 'object' || one === null) return true;
    if (Array.isArray(one) && one.length > 1e5) return true;
    return Object.values(one).every((member) => walk(member, depth + 1));
  };
  return walk(value, 0);
}

function field(number: number, value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
}

function call(message: Uint8Array): Promise<number> {
  return new Promise((resolve) => {
    const asIs = (bytes: Buffer): Buffer => bytes;
    const path = '/inference.GRPCInferenceService/ModelInfer';
    client.makeUnaryRequest(path, asIs, asIs, Buffer.from(message), (error) =>
      resolve(error?.code ?? status.OK),
    );
  });
}
