import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { seededRandom } from '../../../base';
import { FakeClock } from '../../test-support/fake-clock';
import { DelayingProxy } from './delaying-proxy';

let echo: Server;
let proxies: DelayingProxy[];
beforeEach(async () => {
  proxies = [];
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
});
afterEach(async () => {
  await Promise.all(proxies.map((proxy) => proxy.close()));
  echo.close();
});

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

async function proxied(
  options: Partial<Parameters<typeof DelayingProxy.start>[0]> = {},
): Promise<DelayingProxy> {
  const proxy = await DelayingProxy.start({ host: '127.0.0.1', port: portOf(echo), ...options });
  proxies.push(proxy);
  return proxy;
}

interface Dialled {
  readonly socket: Socket;
  /** What came so far. */
  readonly received: () => Buffer;
  /** How it ended: `end`, or an error's code. */
  readonly ended: Promise<string>;
}

function dial(port: number): Dialled {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise<string>((resolve) => {
    socket.once('end', () => resolve('end'));
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  return { socket, received: () => Buffer.concat(chunks), ended };
}

function noise(bytes: number): Buffer {
  const random = seededRandom(bytes);
  return Buffer.from(Uint8Array.from({ length: bytes }, () => Math.floor(random() * 256)));
}

describe('a worse link', () => {
  it.each([0, 1, 8191, 8193, 3_000_000])('passes %i bytes on as they are, and both ends', async (bytes) => {
    const { port } = await proxied({ conditions: { delayMs: 2, bytesPerSec: 100e6 } });
    const { socket, received, ended } = dial(port);
    const sent = noise(bytes);
    socket.end(sent);
    expect(await ended).toBe('end');
    expect(received().equals(sent)).toBe(true);
  });

  it('takes its delay each way and its rate, as its clock has it, and others once it is set so', async () => {
    const clock = new FakeClock();
    const proxy = await proxied({ clock, conditions: { delayMs: 100 } });
    const { socket, received } = dial(proxy.port);
    const took = async (bytes: number): Promise<number> => {
      const startMs = clock.nowMs();
      const wanted = received().byteLength + bytes;
      socket.write(noise(bytes));
      while (received().byteLength < wanted) await clock.advance(1);
      return clock.nowMs() - startMs;
    };
    expect(await took(10)).toBeGreaterThanOrEqual(200);
    // 100 pieces at one a millisecond; the burst lets five milliseconds' worth through at once.
    proxy.set({ delayMs: 0, bytesPerSec: 8 * 1024 * 1000 });
    expect(await took(800 * 1024)).toBeGreaterThanOrEqual(94);
  });

  it('a slow link holds its sender back', async () => {
    const clock = new FakeClock();
    const proxy = await proxied({ clock, conditions: { bytesPerSec: 1000 } });
    const { socket } = dial(proxy.port);
    const bytes = 64 * 2 ** 20;
    socket.write(Buffer.alloc(bytes));
    // Much of it stays in this process: the proxy does not read it into its own memory.
    await vi.waitFor(() => expect(socket.bytesWritten).toBe(bytes));
    expect(socket.writableLength).toBeGreaterThan(bytes / 2);
    socket.destroy();
  });

  it.each([
    [-1, 1],
    [NaN, 1],
    [Infinity, 1],
    [0, 0],
    [0, NaN],
  ])('delay %d ms and %d bytes/s are no link', async (delayMs, bytesPerSec) => {
    await expect(proxied({ conditions: { delayMs, bytesPerSec } })).rejects.toThrow(RangeError);
    const proxy = await proxied();
    expect(() => proxy.set({ delayMs, bytesPerSec })).toThrow(/expected a delay/);
  });
});

async function echoed({ socket, received }: Dialled, text: string): Promise<void> {
  const wanted = received().byteLength + text.length;
  socket.write(text);
  await vi.waitFor(() => expect(received().byteLength).toBe(wanted));
}

describe('faults', () => {
  it('refuse: new connections are, others go on, and it ends on the same port', async () => {
    const proxy = await proxied();
    const { port } = proxy;
    const open = dial(port);
    await echoed(open, 'before');
    await proxy.setFault({ kind: 'refuse' });
    expect(await dial(port).ended).toBe('ECONNREFUSED');
    await echoed(open, 'after');
    await proxy.setFault({ kind: 'none' });
    expect(proxy.port).toBe(port);
    await echoed(dial(port), 'again');
    open.socket.destroy();
  });

  it('reset at once: connections under way and new ones', async () => {
    const proxy = await proxied();
    const open = dial(proxy.port);
    await echoed(open, 'before');
    await proxy.setFault({ kind: 'reset', afterBytes: 0 });
    expect(await open.ended).toBe('ECONNRESET');
    expect(await dial(proxy.port).ended).toBe('ECONNRESET');
  });

  it('reset half-way: after that many bytes', async () => {
    const proxy = await proxied();
    await proxy.setFault({ kind: 'reset', afterBytes: 150_000 });
    const { socket, received, ended } = dial(proxy.port);
    const sent = noise(100_000);
    // All of it goes up; half of it comes back.
    socket.write(sent);
    // A reset right behind data that was read looks like an end to libuv.
    expect(await ended).toMatch(/ECONNRESET|end/);
    expect(received().byteLength).toBeLessThanOrEqual(50_000);
    expect(received().equals(sent.subarray(0, received().byteLength))).toBe(true);
    await echoed(dial((await proxied()).port), 'others go on');
  });

  it('stall: nothing comes and nothing ends until it is over; nothing was lost', async () => {
    const clock = new FakeClock();
    const proxy = await proxied({ clock });
    const open = dial(proxy.port);
    await echoed(open, 'before');
    await proxy.setFault({ kind: 'stall' });
    const late = dial(proxy.port);
    await once(late.socket, 'connect');
    open.socket.write('held');
    late.socket.end('held too');
    await clock.advance(1e6);
    expect(open.received().toString()).toBe('before');
    expect(late.received().toString()).toBe('');
    await proxy.setFault({ kind: 'none' });
    expect(await late.ended).toBe('end');
    expect(late.received().toString()).toBe('held too');
    await vi.waitFor(() => expect(open.received().toString()).toBe('beforeheld'));
    open.socket.destroy();
  });

  it('a server that is gone resets its clients', async () => {
    const { port } = await proxied({ port: 1 });
    expect(await dial(port).ended).toBe('ECONNRESET');
  });

  it('closing ends every connection', async () => {
    const proxy = await proxied();
    const open = dial(proxy.port);
    await echoed(open, 'before');
    await proxy.close();
    expect(await dial(proxy.port).ended).toBe('ECONNREFUSED');
    expect(await open.ended).toMatch(/end|ECONNRESET/);
  });
});
