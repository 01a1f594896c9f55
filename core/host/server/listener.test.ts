import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { rawConnection } from '../../serving/test-support/raw-http';
import { SMUGGLED } from '../../serving/test-support/smuggled';
import { openListener } from './listener';
import type { Listener } from './listener';

let listener: Listener;
const asked: string[] = [];
beforeAll(async () => {
  listener = await openListener({ host: '127.0.0.1', port: 0, secure: false });
  listener.serve((request, response) => {
    asked.push(request.url ?? '');
    request.resume();
    response.end('fine');
  });
});
afterAll(() => listener.close());

describe('the listener of sluice host', () => {
  it.each(SMUGGLED)('reads no second request out of one with %s', async (_what, head) => {
    const { socket, reply } = rawConnection(listener.port);
    const second = 'POST /second HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n';
    socket.end(`POST /first HTTP/1.1\r\nhost: localhost\r\n${head}\r\n0\r\n\r\n${second}`);
    expect((await reply).match(/HTTP\/1\.1 \d{3}/g)).toHaveLength(1);
    expect(asked).not.toContain('/second');
  });

  it.each([
    ['a header of a megabyte', `x: ${'y'.repeat(2 ** 20)}\r\n`],
    ['many headers', Array.from({ length: 20_000 }, (_, index) => `x${index}: y\r\n`).join('')],
  ])('refuses %s', async (_what, head) => {
    const { socket, reply } = rawConnection(listener.port);
    socket.write(`GET /large HTTP/1.1\r\nhost: localhost\r\n${head}\r\n`);
    expect(await reply).toMatch(/^(HTTP\/1\.1 431 |$)/);
    expect(asked).not.toContain('/large');
  });
});
