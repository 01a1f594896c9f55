import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { decodeWire, encodeWire } from '../../contract';
import type { TelemetryBatch } from '../../contract';
import { useConsoleServer } from './test-support/console-server';

const ground = useConsoleServer();

describe('the socket', () => {
  const open = (headers: Record<string, string>, path = '/engine'): Promise<WebSocket> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${ground.server.port}${path}`, { headers });
      socket.once('open', () => resolve(socket));
      socket.once('error', reject);
    });
  const next = (socket: WebSocket): Promise<unknown> =>
    new Promise((resolve) => socket.once('message', (data: Buffer) => resolve(decodeWire(data))));

  it('answers requests and tells events, typed arrays included', async () => {
    const socket = await open({ cookie: await ground.cookie(), origin: ground.origin });
    socket.send(encodeWire({ id: 1, request: 'engine.info', input: {} }));
    expect(await next(socket)).toMatchObject({ id: 1, reply: { ok: true, value: { version: '1' } } });
    socket.send(encodeWire({ id: 2, request: 'no.such', input: {} }));
    expect(await next(socket)).toMatchObject({ id: 2, reply: { ok: false, error: { code: 'bad-input' } } });
    ground.bus.emit('models', []);
    expect(await next(socket)).toEqual({ event: 'models', payload: [] });

    socket.send(encodeWire({ id: 3, request: 'telemetry.watch', input: { on: true } }));
    await next(socket);
    const timeMs = new Float64Array([1, 2]);
    expect(ground.telemetry?.({ timeMs, series: {} as TelemetryBatch['series'], dropped: 0 })).toBe(true);
    expect(await next(socket)).toEqual({ event: 'telemetry', payload: { timeMs, series: {}, dropped: 0 } });
    socket.close();
    await expect.poll(() => ground.telemetry).toBeUndefined();
  });

  it('tells why the host ends, as much of it as a close frame holds', async () => {
    const socket = await open({ cookie: await ground.cookie(), origin: ground.origin });
    const closed = new Promise<[number, string]>((resolve) =>
      socket.once('close', (code, reason) => resolve([code, reason.toString('utf8')])),
    );
    await ground.server.close(`The engine died: ${'ü'.repeat(200)}`);
    const [code, reason] = await closed;
    expect(code).toBe(4503);
    expect(reason).toMatch(/^The engine died: ü+…$/);
  });

  it('holds telemetry back while the browser does not read', async () => {
    const socket = await open({ cookie: await ground.cookie(), origin: ground.origin });
    socket.send(encodeWire({ id: 3, request: 'telemetry.watch', input: { on: true } }));
    await next(socket);
    socket.pause();
    const series = {} as TelemetryBatch['series'];
    const batch = { timeMs: new Float64Array(1 << 17), series, dropped: 0 };
    const taken = Array.from({ length: 40 }, () => ground.telemetry?.(batch));
    expect(taken[0]).toBe(true);
    expect(taken.at(-1)).toBe(false);
    socket.terminate();
  });

  it.each([
    ['no cookie', 401, () => ({ origin: ground.origin })],
    ['a session without an origin', 401, async () => ({ cookie: await ground.cookie() })],
    ['a wrong token', 401, () => ({ authorization: 'Bearer guess' })],
    ['a foreign origin', 403, async () => ({ cookie: await ground.cookie(), origin: 'http://evil.example' })],
    ['a foreign origin with the token', 403, () => ({ ...ground.bearer, origin: 'http://evil.example' })],
    [
      'a rebound host',
      403,
      async () => ({ cookie: await ground.cookie(), origin: ground.origin, host: 'evil.example' }),
    ],
  ])('refuses %s', async (_who, status, headers) => {
    await expect(open(await headers())).rejects.toThrow(String(status));
  });

  it('opens for a program with the token', async () => {
    const socket = await open(ground.bearer);
    socket.send(encodeWire({ id: 1, request: 'engine.info', input: {} }));
    expect(await next(socket)).toMatchObject({ id: 1, reply: { ok: true } });
    socket.terminate();
  });

  it('is closed by logging out', async () => {
    const own = await ground.cookie();
    const socket = await open({ cookie: own, origin: ground.origin });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await ground.ask('/logout', { method: 'POST', headers: { cookie: own, origin: ground.origin } });
    expect(await closed).toBe(4401);
  });

  it('is at /engine only', async () => {
    await expect(open({ cookie: await ground.cookie(), origin: ground.origin }, '/other')).rejects.toThrow(
      /404/,
    );
  });

  it.each([
    ['text', 'hello'],
    ['garbage', Buffer.from([0xc1])],
  ])('closes on %s', async (_what, frame) => {
    const socket = await open({ cookie: await ground.cookie(), origin: ground.origin });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send(frame);
    expect(await closed).toBe(1007);
  });
});
