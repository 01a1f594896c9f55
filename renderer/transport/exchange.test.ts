import { describe, expect, it, vi } from 'vitest';

import type { ClientMessage } from '../../core/contract';
import { createExchange } from './exchange';

describe('exchange', () => {
  it('answers requests by id, in any order', async () => {
    const sent: ClientMessage[] = [];
    const exchange = createExchange();
    exchange.attach({ send: (message) => sent.push(message) });
    const first = exchange.request('models.list', {});
    const second = exchange.request('models.inspect', { name: 'm' });
    expect(sent.map(({ request }) => request)).toEqual(['models.list', 'models.inspect']);
    exchange.receive({ id: sent[1]?.id, reply: { ok: true, value: 'detail' } });
    exchange.receive({ id: sent[0]?.id, reply: { ok: true, value: 'list' } });
    expect(await first).toBe('list');
    expect(await second).toBe('detail');
  });

  it('rejects with the engine’s error: code, message and details', async () => {
    const exchange = createExchange();
    exchange.attach({
      send: ({ id }) =>
        exchange.receive({
          id,
          reply: {
            ok: false,
            error: { code: 'budget-too-small', message: 'needs 9 MiB', details: { minimumBytes: 9 } },
          },
        }),
    });
    await expect(exchange.request('models.list', {})).rejects.toMatchObject({
      name: 'SluiceError',
      code: 'budget-too-small',
      message: 'needs 9 MiB',
      details: { minimumBytes: 9 },
    });
  });

  it('rejects what is pending when the wire goes, and what comes after, with engine-down and the reason', async () => {
    const exchange = createExchange();
    exchange.attach({ send: () => undefined });
    const pending = exchange.request('runs.list', {});
    exchange.detach('the engine process ended with code 9');
    await expect(pending).rejects.toMatchObject({
      code: 'engine-down',
      message: expect.stringContaining('code 9') as string,
    });
    await expect(exchange.request('runs.list', {})).rejects.toMatchObject({ code: 'engine-down' });
  });

  it('ignores a late answer to a request it gave up', async () => {
    const sent: ClientMessage[] = [];
    const exchange = createExchange();
    exchange.attach({ send: (message) => sent.push(message) });
    const pending = exchange.request('runs.list', {});
    exchange.detach('gone');
    await expect(pending).rejects.toThrow();
    expect(() => exchange.receive({ id: sent[0]?.id, reply: { ok: true, value: [] } })).not.toThrow();
  });

  it('rejects when sending itself fails', async () => {
    const exchange = createExchange();
    exchange.attach({
      send: () => {
        throw new Error('port is closed');
      },
    });
    await expect(exchange.request('runs.list', {})).rejects.toMatchObject({
      code: 'engine-down',
      message: 'port is closed',
    });
  });

  it('tells events to their listeners until they stop listening', () => {
    const exchange = createExchange();
    const heard = vi.fn();
    const stop = exchange.on('models', heard);
    exchange.receive({ event: 'models', payload: [] });
    exchange.receive({ event: 'budget', payload: { limitBytes: 0, holders: [] } });
    stop();
    exchange.receive({ event: 'models', payload: [] });
    expect(heard.mock.calls).toEqual([[[]]]);
  });

  it.each([null, 'text', 5, {}, { id: 1 }, { event: 'models' }, { id: 'x', reply: {} }])(
    'refuses %j',
    (message) => {
      expect(() => createExchange().receive(message)).toThrow(/neither a reply nor an event/);
    },
  );
});
