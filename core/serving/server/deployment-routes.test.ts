import { setTimeout as sleep } from 'node:timers/promises';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { FakePublisher } from '../test-support/fake-publisher';
import { rawConnection } from '../test-support/raw-http';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';

const TOKEN = 'a-deploy-token-of-some-length';
const LIMITS = { headersTimeoutMs: 200, requestTimeoutMs: 300, stallMs: 2000, uploadTimeoutMs: 60_000 };
const PATH = '/v2/repository/deployments/net/versions/3';
const SHA256 = 'a'.repeat(64);
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'x-sluice-sha256': SHA256 };

let publisher: FakePublisher;
let server: TestServer;
beforeEach(async () => {
  publisher = new FakePublisher();
  server = await startTestServer({ publisher, deployToken: TOKEN, limits: LIMITS });
});
afterEach(() => server.close());

function head(path: string, headers: object, method = 'PUT'): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${lines.join('')}\r\n`;
}

async function put(path: string, headers: object, body = 'x'): Promise<string> {
  const { socket, reply } = rawConnection(server.port);
  socket.write(head(path, { 'content-length': body.length, ...headers }) + body);
  return reply;
}

describe('uploads', () => {
  it('may take longer than other requests, as long as something comes', async () => {
    const { socket, reply } = rawConnection(server.port);
    socket.write(head(`${PATH}?model=Net&sharePct=10`, { ...HEADERS, 'content-length': 10 }));
    for (let sent = 0; sent < 10; sent += 1) {
      await sleep(60);
      socket.write('x');
    }
    expect(await reply).toMatch(/^HTTP\/1\.1 200 /);
    const upload = { servedAs: 'net', model: 'Net', version: 3, sharePct: 10, sha256: SHA256, fileBytes: 10 };
    expect(publisher.received).toEqual([{ upload, bytes: 10 }]);
  });

  it('of which nothing comes any more are cut off', async () => {
    const { socket } = rawConnection(server.port);
    socket.write(`${head(PATH, { ...HEADERS, 'content-length': 10 })}x`);
    await vi.waitFor(() => expect(publisher.fault).toBeInstanceOf(Error), { timeout: 10_000 });
  });

  it('that break off are no model', async () => {
    const { socket } = rawConnection(server.port);
    socket.write(`${head(PATH, { ...HEADERS, 'content-length': 10 })}x`);
    await vi.waitFor(() => expect(publisher.begun).toBe(1), { timeout: 10_000 });
    socket.destroy();
    await vi.waitFor(() => expect(publisher.fault).toBeInstanceOf(Error), { timeout: 10_000 });
    expect(publisher.received).toEqual([]);
  });

  it('do not lengthen the time that other requests have', async () => {
    const { socket, reply } = rawConnection(server.port);
    socket.write(head('/v2/models/echo-fp32/infer', { 'content-length': 1000 }, 'POST'));
    const drip = setInterval(() => socket.write('a'), 30);
    expect(await reply).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
  });

  it.each([
    ['without a token', PATH, { 'x-sluice-sha256': SHA256 }, 401, /No bearer token/],
    ['with a wrong token', PATH, { ...HEADERS, authorization: 'Bearer b' }, 401, /wrong/],
    ['of a web page', PATH, { ...HEADERS, origin: 'http://evil.example' }, 401, /not for web pages/],
    ['without a hash', PATH, { authorization: HEADERS.authorization }, 400, /SHA-256/],
    ['of no number', PATH.replace('3', 'x'), HEADERS, 400, /version/],
    ['with a share of more than all', `${PATH}?sharePct=101`, HEADERS, 400, /sharePct/],
    ['whose name leads elsewhere', PATH.replace('net', '..%2Fnet'), HEADERS, 400, /servedAs/],
    ['of too much', PATH, { ...HEADERS, 'content-length': 1001 }, 400, /at most 1000 bytes/],
  ])('%s are refused before they are read', async (_what, path, headers, status, message) => {
    const answer = await put(path, headers);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer).toMatch(message);
    expect(publisher.received).toEqual([]);
  });
});
