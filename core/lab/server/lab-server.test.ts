import { request as httpRequest } from 'node:http';

import { afterEach, describe, expect, it } from 'vitest';

import { SluiceError } from '../../contract';
import { BearerToken, DEFAULT_LIMITS, type Listener } from '../../serving';
import { startLabServer, type LabRoutes } from './lab-server';
import { startTrackingServer } from './test-support/tracking-server';

const TOKEN = 'a-token-of-sixteen-or-more';
const DETAILS = { faults: ['a: wrong', 'b: wrong'], retryAfterSec: 3, isDryRun: false, path: '/lab/x' };
const SECRETS = { token: 'abc', apiKey: 'abc', s3_secret: 'abc', Authorization: 'Bearer abc' };
const routes: LabRoutes = (app) => {
  app.get('/api/fine', () => ({ fine: true }));
  app.get('/api/taken', () => {
    throw new SluiceError('conflict', 'It is there already.');
  });
  app.get('/api/sluice/bad', () => {
    throw new SluiceError('bad-input', 'Not so.', { errorCode: 'OWN', ...DETAILS, ...SECRETS });
  });
  app.get('/api/mlflow', () => {
    throw new SluiceError('bad-input', 'Not so.', DETAILS);
  });
  app.get('/api/sluice/bug', () => {
    throw new SluiceError('internal', 'It broke.', DETAILS);
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
    ['/api/sluice/bad', {}, 400, { error_code: 'OWN', message: 'Not so.', details: DETAILS }],
    ['/api/mlflow', {}, 400, { error_code: 'INVALID_PARAMETER_VALUE', message: 'Not so.' }],
    ['/api/sluice/bug', {}, 500, { error_code: 'INTERNAL_ERROR', message: 'It broke.' }],
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

  it.each([
    [{ host: 'evil.example' }, 401],
    [{ 'sec-fetch-site': 'cross-site' }, 401],
    [{ host: 'localhost' }, 200],
  ])('takes %j for what it is: %i', async (headers, status) => {
    const url = await start();
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      const sent = httpRequest(`${url}/api/fine`, { headers }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      });
      sent.on('error', reject).end();
    });
    expect(answered).toBe(status);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded'])(
    'does nothing for a page that posts %s',
    async (type) => {
      const tracking = await startTrackingServer();
      try {
        const create = (headers: Record<string, string>): Promise<Response> =>
          fetch(`${tracking.url}/api/2.0/mlflow/experiments/create`, {
            method: 'POST',
            headers: { 'content-type': type, ...headers },
            body: '{"name": "e"}',
          });
        for (const origin of ['null', 'https://evil.example', tracking.url])
          expect((await create({ origin })).status).toBe(401);
        // It was not there.
        expect((await create({})).status).toBe(200);
      } finally {
        await tracking.close();
      }
    },
  );

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
