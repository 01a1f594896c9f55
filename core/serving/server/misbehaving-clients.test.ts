import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it, vi } from 'vitest';

import { useInferServer, x } from '../test-support/infer-ground';
import { rawConnection } from '../test-support/raw-http';

const ground = useInferServer();

describe('clients that misbehave', () => {
  it.each([
    ['headers that trickle', 'GET /v2 HTTP/1.1\r\nhost: localhost\r\n', 'x-a: b\r\n'],
    [
      'a body that trickles',
      'POST /v2/models/echo-fp32/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n',
      'a',
    ],
  ])('%s are cut off', async (_what, first, more) => {
    const { socket, reply } = rawConnection(ground.server.port);
    socket.write(first);
    const drip = setInterval(() => socket.write(more), 30);
    expect(await reply).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(drip);
    await ground.servesOn();
  });

  it('something that is no HTTP', async () => {
    const { socket, reply } = rawConnection(ground.server.port);
    socket.write('\x16\x03\x01 hello\r\n\r\n');
    expect(await reply).toMatch(/^HTTP\/1\.1 400 /);
    await ground.servesOn();
  });

  it('a connection reset half-way through its body', async () => {
    const { socket, reply } = rawConnection(ground.server.port);
    socket.write(
      'POST /v2/models/echo-fp32/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000\r\n\r\n{"in',
    );
    await sleep(20);
    socket.resetAndDestroy();
    await reply;
    await ground.servesOn();
  });

  it('a client that goes away while its request waits or runs takes it along', async () => {
    ground.server.models.computeMs = 10_000;
    const begun = ground.server.models.begun;
    const sockets = [1, 2].map(() => {
      const { socket } = rawConnection(ground.server.port);
      const body = JSON.stringify(x([1, 2]));
      socket.write(
        `POST /v2/models/echo-fp32/infer HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
      return socket;
    });
    await vi.waitFor(async () =>
      expect((await ground.ask('/v2/models/stats')).json['queue']).toMatchObject({ running: 1, waiting: 1 }),
    );
    for (const socket of sockets) socket.destroy();
    ground.server.models.computeMs = 0;
    await ground.servesOn();
    expect(ground.server.models.begun).toBeLessThanOrEqual(begun + 3);
  });
});
