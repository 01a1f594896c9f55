import { afterEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { BearerToken, DEFAULT_LIMITS, type Listener } from '../../serving';
import { startLabServer, type LabRoutes } from './lab-server';

const TOKEN = 'a-token-of-sixteen-or-more';
const routes: LabRoutes = (app) => {
  app.get('/api/fine', () => ({ fine: true }));
  app.get('/api/taken', () => {
    throw new SluiceError('conflict', 'It is there already.');
  });
};

let listener: Listener | undefined;
afterEach(() => listener?.close());

async function start(token?: BearerToken, host = '127.0.0.1'): Promise<string> {
  listener = await startLabServer({ routes: [routes], token, host, port: 0, limits: DEFAULT_LIMITS });
  return `http://127.0.0.1:${listener.port}`;
}

describe('the lab server', () => {
  it.each([
    ['/api/fine', {}, 200, { fine: true }],
    ['/api/taken', {}, 400, { error_code: 'RESOURCE_ALREADY_EXISTS', message: 'It is there already.' }],
    [
      '/api/no',
      {},
      404,
      { error_code: 'ENDPOINT_NOT_FOUND', message: 'GET /api/no is not an operation of this lab.' },
    ],
    [
      '/api/fine',
      { origin: 'https://elsewhere.example' },
      401,
      {
        error_code: 'UNAUTHENTICATED',
        message: 'This server is not for web pages; one of https://elsewhere.example asked.',
      },
    ],
  ])('answers %s %j with %i', async (path, headers, status, body) => {
    const response = await fetch((await start()) + path, { headers });
    expect(response.status).toBe(status);
    expect(await response.json()).toEqual(body);
  });

  it('wants the token for everything but its health', async () => {
    const base = await start(new BearerToken(TOKEN));
    expect((await fetch(`${base}/health`)).status).toBe(200);
    expect((await fetch(`${base}/api/fine`)).status).toBe(401);
    const headers = { authorization: `Bearer ${TOKEN}` };
    expect((await fetch(`${base}/api/fine`, { headers })).status).toBe(200);
  });

  it('is not started where others reach it without a token', async () => {
    await expect(start(undefined, '0.0.0.0')).rejects.toThrow(/needs a token/);
  });
});
