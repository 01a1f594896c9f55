import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { LabApi } from './lab-api';
import { ServerPulse } from './server-pulse';

/** What the server answers next; undefined: it takes the request and says nothing. */
let answer: { readonly status: number; readonly body: string } | undefined;
/** Whether it says how it is. */
let isAlive: boolean;
/** How often it was asked how it is. */
let healthAsked: number;
let server: Server;
let api: LabApi;

beforeEach(async () => {
  isAlive = true;
  healthAsked = 0;
  server = createServer((request, response) => {
    request.resume();
    if (request.url === '/health') {
      healthAsked += 1;
      if (isAlive) response.end('OK');
    } else if (answer)
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
    // The beginning of a log that is followed.
    else if (request.url?.endsWith('/log') === true) response.writeHead(200).write('one\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  api = new LabApi(url, undefined, 'ann', new ServerPulse(url, { everyMs: 10, withinMs: 1500 }));
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('what a lab refuses', () => {
  it.each<[string, number, object | string, object]>([
    [
      'with details',
      400,
      {
        error_code: 'INVALID_PARAMETER_VALUE',
        message: 'no',
        details: { faults: ['a: x'], retryAfterSec: 2 },
      },
      { code: 'bad-input', message: 'no', details: { faults: ['a: x'], retryAfterSec: 2 } },
    ],
    ['without', 404, { error_code: 'X', message: 'no' }, { code: 'not-found', message: 'no', details: {} }],
    [
      'with details that are none',
      400,
      { error_code: 'RESOURCE_ALREADY_EXISTS', message: 'no', details: { deep: { x: 1 } } },
      { code: 'conflict', message: 'no', details: {} },
    ],
    ['as no lab does', 502, '<html>', { code: 'unavailable', details: {} }],
  ])('is told %s', async (_what, status, body, error) => {
    answer = { status, body: typeof body === 'string' ? body : JSON.stringify(body) };
    await expect(api.get('runs', z.unknown())).rejects.toMatchObject(error);
  });
});

describe('a server that says nothing', () => {
  const silent = { code: 'timeout', message: expect.stringMatching(/has not answered for 1\.5 s/) as string };
  const askedAgain = async (times: number): Promise<void> => {
    while (healthAsked < times) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it('may take its time while it is well', async () => {
    answer = undefined;
    const abort = new AbortController();
    const asked = api.get('runs', z.unknown(), abort.signal);
    await askedAgain(5);
    abort.abort();
    await expect(asked).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('is told of when it hangs, in requests and in streams', async () => {
    answer = undefined;
    const log = api.stream('runs/x/log');
    expect((await log.next()).value).toEqual(Buffer.from('one\n'));
    const more = log.next();
    const asked = api.send('POST', 'runs', {}, z.unknown());
    await askedAgain(3);
    isAlive = false;
    await expect(asked).rejects.toMatchObject(silent);
    await expect(more).rejects.toMatchObject(silent);
  });

  it('is not asked how it is when nothing is awaited', async () => {
    answer = { status: 200, body: '{}' };
    await api.get('runs', z.unknown());
    const before = healthAsked;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(healthAsked).toBe(before);
  });

  it('that is gone breaks off', async () => {
    answer = undefined;
    const asked = api.get('runs', z.unknown());
    await askedAgain(1);
    server.closeAllConnections();
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('that is no lab is told of as one', async () => {
    answer = { status: 200, body: '<html>' };
    await expect(api.get('runs', z.unknown())).rejects.toThrow(
      /answers otherwise than a lab of this version does: .* See what listens there/,
    );
  });
});
