import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

import { credentials, status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';

import { OipClient } from '../client/oip-client';
import type { OipTensor } from '../protocol/tensor';
import { GrpcClient } from '../test-support/grpc-client';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';

const TOKEN = 'a-token-of-twenty-characters';
const file = (name: string): Buffer => readFileSync(resolve(import.meta.dirname, '../test-support', name));
const TLS = { cert: file('localhost.cert.pem'), key: file('localhost.key.pem') };

const X: OipTensor = {
  name: 'x',
  datatype: 'FP32',
  shape: [1, 2],
  bytes: new Uint8Array(Float32Array.of(1, 2).buffer),
};
const ECHO = { model: 'echo-fp32', inputs: [X] };
const GRPC_ECHO = { model_name: 'echo-fp32', inputs: [{ ...X }], raw_input_contents: [X.bytes] };

describe('who may use a server', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1'])('listening on %s without a token is refused', async (host) => {
    await expect(startTestServer({ host })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('--token-file') as string,
    });
  });

  it('a token short enough to guess is refused', async () => {
    await expect(startTestServer({ token: 'short' })).rejects.toMatchObject({ code: 'bad-input' });
  });

  it('with a token, only those who have it; health is open to probes', async () => {
    const server = await startTestServer({ host: '0.0.0.0', token: TOKEN });
    const url = `http://127.0.0.1:${server.port}`;
    for (const token of [undefined, 'wrong', `${TOKEN}x`, TOKEN.slice(1)]) {
      const client = new OipClient({ url, ...(token !== undefined && { token }) });
      await expect(client.infer(ECHO)).rejects.toMatchObject({ code: 'unauthorized' });
      expect(await client.health()).toMatchObject({ state: 'ready' });
      await client.close();
    }
    const client = new OipClient({ url, token: TOKEN });
    expect(await client.infer(ECHO)).toMatchObject({ modelVersion: '1' });
    await client.close();
    expect((await fetch(`${url}/metrics`)).status).toBe(401);
    const grpc = new GrpcClient(`127.0.0.1:${server.grpcUrl!.split(':').at(-1)!}`);
    expect((await grpc.call('ServerLive')).message).toEqual({ live: true });
    await expect(grpc.call('ModelInfer', GRPC_ECHO)).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
    await grpc.call('ModelInfer', GRPC_ECHO, { token: TOKEN });
    grpc.close();
    await server.close();
  });

  it('speaks TLS by certificate files', async () => {
    const server = await startTestServer({ tls: TLS, token: TOKEN });
    expect(server.url).toMatch(/^https:/);
    const stranger = new OipClient({ url: server.url, token: TOKEN, retries: 0 });
    await expect(stranger.infer(ECHO)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('certificate') as string,
    });
    const client = new OipClient({ url: server.url, token: TOKEN, ca: TLS.cert });
    expect((await client.infer(ECHO)).outputs[0]?.bytes).toEqual(Buffer.from(X.bytes));
    const grpc = new GrpcClient(server.grpcUrl!, credentials.createSsl(TLS.cert));
    await grpc.call('ModelInfer', GRPC_ECHO, { token: TOKEN });
    grpc.close();
    await Promise.all([client.close(), stranger.close(), server.close()]);
  });

  it('files that are no certificate, and a port that is taken, are told', async () => {
    const tls = { cert: Buffer.from('none'), key: TLS.key };
    await expect(startTestServer({ tls })).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('PEM') as string,
    });
    const server = await startTestServer();
    const { port } = server;
    await expect(startTestServer({ port })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('--port') as string,
    });
    await expect(startTestServer({ grpcPort: port })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('--grpc-port') as string,
    });
    await server.close();
  });
});

async function queueOf({ url }: TestServer): Promise<object> {
  return ((await (await fetch(`${url}/v2/models/stats`)).json()) as { queue: object }).queue;
}

describe('shutting down', () => {
  it('is not ready first, answers what it accepted, refuses the rest, then closes', async () => {
    const server = await startTestServer();
    server.models.computeMs = 250;
    const client = new OipClient({ url: server.url, retries: 0 });
    const grpc = new GrpcClient(server.grpcUrl!);
    await client.serverMetadata();
    const accepted = [client.infer(ECHO), client.infer(ECHO), grpc.call('ModelInfer', GRPC_ECHO)];
    await vi.waitFor(async () => expect(await queueOf(server)).toMatchObject({ running: 1, waiting: 2 }));
    const closed = server.close();
    expect(await client.health()).toMatchObject({ state: 'not-ready' });
    expect((await grpc.call('ServerReady')).message).toEqual({ ready: false });
    await expect(client.infer(ECHO)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('shutting down') as string,
    });
    await Promise.all(accepted);
    await closed;
    expect(await client.health()).toMatchObject({ state: 'unreachable' });
    grpc.close();
    await client.close();
  });

  it('what takes too long is answered with "unavailable"', async () => {
    const server = await startTestServer({ drainMs: 50 });
    server.models.computeMs = 60_000;
    const client = new OipClient({ url: server.url, retries: 0 });
    const accepted = [client.infer(ECHO), client.infer(ECHO)].map((answer) =>
      expect(answer).rejects.toMatchObject({ code: 'unavailable', details: { status: 503 } }),
    );
    await vi.waitFor(async () => expect(await queueOf(server)).toMatchObject({ running: 1, waiting: 1 }));
    await server.close();
    await Promise.all(accepted);
    await client.close();
  });
});
