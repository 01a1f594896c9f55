import { describe, expect, it } from 'vitest';

import { decodeWire, encodeWire, HOST_ENDED } from '../../core/contract';
import type { ClientMessage, EngineStatus } from '../../core/contract';
import { createSocketClient } from './socket-client';
import type { SocketLike } from './socket-client';

class FakeSocket implements SocketLike {
  binaryType = '';
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: SocketLike['onclose'] = null;
  readonly sent: ClientMessage[] = [];

  send(data: Uint8Array<ArrayBuffer>): void {
    this.sent.push(decodeWire(data) as ClientMessage);
  }

  close(code = 1006, reason = ''): void {
    this.onclose?.({ code, reason });
  }

  say(message: unknown): void {
    this.onmessage?.({ data: new Uint8Array(encodeWire(message)).buffer });
  }
}

function bench(): {
  readonly client: ReturnType<typeof createSocketClient>;
  readonly sockets: FakeSocket[];
  readonly delays: number[];
  readonly statuses: EngineStatus[];
  readonly retry: () => void;
  readonly last: () => FakeSocket;
} {
  const sockets: FakeSocket[] = [];
  const delays: number[] = [];
  let pending: (() => void) | undefined;
  const client = createSocketClient({
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    schedule: (run, delayMs) => {
      delays.push(delayMs);
      pending = run;
      return () => {
        pending = undefined;
      };
    },
  });
  const statuses: EngineStatus[] = [];
  client.onStatus((status) => statuses.push(status));
  const last = (): FakeSocket => {
    const socket = sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  };
  return { client, sockets, delays, statuses, retry: () => pending?.(), last };
}

describe('socket client', () => {
  it('speaks MessagePack both ways', async () => {
    const { client, last } = bench();
    expect(last().binaryType).toBe('arraybuffer');
    last().onopen?.();
    const reply = client.request('runs.trace', { runId: 'r1' });
    expect(last().sent[0]).toMatchObject({ request: 'runs.trace', input: { runId: 'r1' } });
    last().say({ id: last().sent[0]?.id, reply: { ok: true, value: { startUs: Float64Array.of(1.5) } } });
    expect(await reply).toEqual({ startUs: Float64Array.of(1.5) });
  });

  it('is starting, then ok, then restarting while it reconnects', async () => {
    const { client, last, statuses, retry, sockets } = bench();
    expect(client.status()).toEqual({ state: 'starting' });
    last().onopen?.();
    const pending = client.request('models.list', {});
    last().close();
    await expect(pending).rejects.toMatchObject({ code: 'engine-down' });
    retry();
    last().onopen?.();
    expect(sockets).toHaveLength(2);
    expect(statuses.map(({ state }) => state)).toEqual(['ok', 'restarting', 'ok']);
  });

  it('tells why the host ended, until it is back', () => {
    const { client, last, retry } = bench();
    last().onopen?.();
    last().close(HOST_ENDED, 'The engine died.');
    const reason = 'the host ended: The engine died';
    expect(client.status()).toMatchObject({ state: 'restarting', reason });
    retry();
    last().close();
    expect(client.status()).toMatchObject({ state: 'restarting', reason });
    retry();
    last().onopen?.();
    last().close();
    expect(client.status()).not.toMatchObject({ reason });
  });

  it('waits longer after each failure, says down after six, and goes on trying', () => {
    const { client, last, delays, retry, sockets } = bench();
    for (let i = 0; i < 8; i++) {
      last().close();
      retry();
    }
    expect(delays).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
    expect(client.status().state).toBe('down');
    expect(sockets).toHaveLength(9);
    last().onopen?.();
    expect(client.status()).toEqual({ state: 'ok' });
  });

  it('tries at once when asked', () => {
    const { client, last, sockets } = bench();
    last().close();
    client.revive();
    expect(sockets).toHaveLength(2);
    client.revive();
    expect(sockets).toHaveLength(2);
  });

  it('asks each time a connection is lost whether there is still a session', () => {
    let asked = 0;
    const sockets: FakeSocket[] = [];
    createSocketClient({
      open: () => {
        sockets.push(new FakeSocket());
        return sockets[sockets.length - 1]!;
      },
      schedule: () => () => undefined,
      lost: () => (asked += 1),
    });
    sockets[0]?.onopen?.();
    expect(asked).toBe(0);
    sockets[0]?.close();
    expect(asked).toBe(1);
  });
});
