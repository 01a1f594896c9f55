import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { LabApi } from './lab-api';

/** What the server answers next. */
let answer: { readonly status: number; readonly body: string };
let server: Server;
let api: LabApi;

beforeEach(async () => {
  server = createServer((request, response) => {
    request.resume();
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  api = new LabApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, undefined, 'ann');
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
