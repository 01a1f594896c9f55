import { request } from 'node:http';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { rawConnection } from '../test-support/raw-http';
import { SMUGGLED } from '../test-support/smuggled';
import { startTestServer } from '../test-support/test-server';
import type { TestServer } from '../test-support/test-server';

const TOKEN = 'a-token-of-sixteen-or-more';

let open: TestServer;
let guarded: TestServer;
beforeAll(async () => {
  open = await startTestServer();
  guarded = await startTestServer({ token: TOKEN });
});
afterAll(() => Promise.all([open.close(), guarded.close()]));

/** Without fetch, which sends no Host but its own. */
function statusOf(
  { port }: TestServer,
  headers: Record<string, string>,
  path = '/v2/models/stats',
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    });
    sent.on('error', reject).end();
  });
}

describe('a name that was rebound to this machine', () => {
  it.each([
    'evil.example',
    'evil.example:8000',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'localhost@evil.example',
    'evil.example#localhost',
    'evil.example/.localhost:80',
    '0x7f000001',
    '127.1',
    '[::1].evil.example',
  ])('%j reads nothing', async (host) => {
    expect(await statusOf(open, { host })).toBe(401);
    expect(await statusOf(open, { host }, '/metrics')).toBe(401);
    expect(await statusOf(open, { host }, '/v1/models')).toBe(401);
  });

  it.each(['localhost', 'LOCALHOST:80', 'sluice.localhost:8000', '127.0.0.1', '[::1]:8000', '10.0.0.7:8000'])(
    '%s is no such name',
    async (host) => {
      expect(await statusOf(open, { host })).toBe(200);
    },
  );

  it('has no token', async () => {
    expect(await statusOf(guarded, { host: 'edge.example' })).toBe(401);
    expect(await statusOf(guarded, { host: 'edge.example', authorization: `Bearer ${TOKEN}` })).toBe(200);
  });
});

describe('a page of another site', () => {
  it.each(['cross-site', 'same-site', 'same-origin'])(
    'that loads something (%s) gets nothing',
    async (site) => {
      for (const server of [open, guarded])
        expect(await statusOf(server, { 'sec-fetch-site': site, authorization: `Bearer ${TOKEN}` })).toBe(
          401,
        );
    },
  );

  it('does not keep a person from opening an address', async () => {
    expect(await statusOf(open, { 'sec-fetch-site': 'none' })).toBe(200);
  });

  // What needs no leave of the server beforehand: browsers send these at once.
  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'])(
    'that posts %s is refused, whatever it says its origin is',
    async (type) => {
      for (const origin of ['null', 'https://evil.example', open.url]) {
        const response = await fetch(`${open.url}/v2/repository/models/pair/unload`, {
          method: 'POST',
          headers: { origin, 'content-type': type },
          body: '{}',
        });
        expect(response.status).toBe(401);
      }
      expect((await fetch(`${open.url}/v2/models/pair/ready`)).status).toBe(200);
    },
  );

  it('is given no leave to send more', async () => {
    const response = await fetch(`${open.url}/v2/models/pair/infer`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(response.ok).toBe(false);
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('requests that proxies may read otherwise', () => {
  it.each(SMUGGLED)('with %s are refused, and the connection ends', async (_what, head) => {
    const { socket, reply } = rawConnection(open.port);
    const second =
      'POST /v2/repository/models/pair/unload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\n{}';
    socket.write(
      `POST /v2/models/echo-fp32/infer HTTP/1.1\r\nhost: localhost\r\n${head}\r\n0\r\n\r\n${second}`,
    );
    socket.end();
    const answers = (await reply).match(/HTTP\/1\.1 \d{3}/g) ?? [];
    expect(answers).toEqual(['HTTP/1.1 400']);
    expect((await fetch(`${open.url}/v2/models/pair/ready`)).status).toBe(200);
  });

  it.each([
    ['a header of a megabyte', `x: ${'y'.repeat(2 ** 20)}\r\n`],
    ['many headers', Array.from({ length: 20_000 }, (_, index) => `x${index}: y\r\n`).join('')],
  ])('with %s are refused', async (_what, head) => {
    const { socket, reply } = rawConnection(open.port);
    socket.write(`GET /v2 HTTP/1.1\r\nhost: localhost\r\n${head}\r\n`);
    expect(await reply).toMatch(/^(HTTP\/1\.1 431 |$)/);
    expect((await fetch(`${open.url}/v2`)).status).toBe(200);
  });
});
