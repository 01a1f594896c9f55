import { describe, expect, it, vi } from 'vitest';

import { ENGINE_PORT_CHANNEL } from '../../core/contract';
import type { EngineStatus, Reply, ShellBridge } from '../../core/contract';
import { createPortClient } from './port-client';

function ok<T>(value: T): Promise<Reply<T>> {
  return Promise.resolve({ ok: true, value });
}

interface FakePort {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  readonly postMessage: (message: unknown) => void;
  readonly close: () => void;
}

function bench(initial: EngineStatus): {
  readonly client: ReturnType<typeof createPortClient>;
  readonly tell: (status: EngineStatus) => void;
  readonly connect: ReturnType<typeof vi.fn>;
  readonly deliver: (port: FakePort, source?: unknown) => void;
} {
  let tell: (status: EngineStatus) => void = () => undefined;
  const connect = vi.fn(() => ok({}));
  const request = {
    'engine.status': () => ok(initial),
    'engine.connect': connect,
    'engine.restart': () => ok({}),
  } as unknown as ShellBridge['request'];
  const bridge: ShellBridge = {
    request,
    pathOfFile: () => '',
    onFilesOpened: () => () => undefined,
    onUpdateState: () => () => undefined,
    onEngineStatus: (listener) => {
      tell = listener;
      return () => undefined;
    },
  };
  const client = createPortClient(bridge, window);
  const deliver = (port: FakePort, source: unknown = window): void => {
    const event = new Event('message');
    for (const [key, value] of Object.entries({
      data: { type: ENGINE_PORT_CHANNEL },
      source,
      ports: [port],
    })) {
      Object.defineProperty(event, key, { value });
    }
    window.dispatchEvent(event);
  };
  return { client, tell: (status) => tell(status), connect, deliver };
}

function fakePort(): FakePort & { readonly sent: unknown[]; readonly closed: () => boolean } {
  const sent: unknown[] = [];
  let closed = false;
  return {
    onmessage: null,
    sent,
    postMessage: (message) => sent.push(message),
    close: () => {
      closed = true;
    },
    closed: () => closed,
  };
}

describe('port client', () => {
  it('asks for a port once the engine is ok, and is ok when the port is here', async () => {
    const { client, connect, deliver } = bench({ state: 'ok' });
    await vi.waitFor(() => expect(connect).toHaveBeenCalledTimes(1));
    expect(client.status().state).toBe('starting');
    const port = fakePort();
    deliver(port);
    expect(client.status()).toEqual({ state: 'ok' });
    const reply = client.request('models.list', {});
    const sent = port.sent[0] as { readonly id: number };
    port.onmessage?.({ data: { id: sent.id, reply: { ok: true, value: [] } } });
    expect(await reply).toEqual([]);
  });

  it('rejects what is pending when the engine dies, and takes a new port after', async () => {
    const { client, tell, connect, deliver } = bench({ state: 'starting' });
    const first = fakePort();
    tell({ state: 'ok' });
    deliver(first);
    const pending = client.request('models.list', {});
    tell({ state: 'restarting', reason: 'it fell over', restarts: 1 });
    await expect(pending).rejects.toMatchObject({
      code: 'engine-down',
      message: expect.stringContaining('it fell over') as string,
    });
    expect(first.closed()).toBe(true);
    expect(client.status().state).toBe('restarting');
    tell({ state: 'ok' });
    deliver(fakePort());
    expect(connect).toHaveBeenCalledTimes(2);
    expect(client.status()).toEqual({ state: 'ok' });
  });

  it('closes a port that arrives after its engine died', () => {
    const { client, tell, deliver } = bench({ state: 'starting' });
    tell({ state: 'ok' });
    tell({ state: 'down', reason: 'it fell over' });
    const late = fakePort();
    deliver(late);
    expect(late.closed()).toBe(true);
    expect(client.status().state).toBe('down');
  });

  it('takes no port from another window', () => {
    const { client, deliver } = bench({ state: 'starting' });
    deliver(fakePort(), {});
    expect(client.status().state).toBe('starting');
  });
});
