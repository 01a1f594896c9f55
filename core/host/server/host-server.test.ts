import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { decodeWire, encodeWire } from '../../contract';
import type { TelemetryBatch } from '../../contract';
import { EventBus } from '../event-bus';
import type { Services } from '../services';
import { newToken } from './access-tokens';
import { startHostServer } from './host-server';
import type { HostServer } from './host-server';
import { openListener } from './listener';
import type { HostRates } from './rate-limits';
import { safeFileName } from './upload';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

let folder: string;
let server: HostServer;
let services: Services;
let bus: EventBus;
let telemetry: ((batch: TelemetryBatch) => boolean | void) | undefined;
const log: string[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-server-'));
  const rendererDir = join(folder, 'renderer');
  mkdirSync(join(rendererDir, 'assets'), { recursive: true });
  writeFileSync(join(rendererDir, 'index.html'), '<title>Sluice</title>');
  writeFileSync(join(rendererDir, 'assets', 'a.js'), 'let a;');
  writeFileSync(join(folder, 'secret.json'), '{}');
  bus = new EventBus();
  services = {
    info: { version: '1', dataDir: join(folder, 'data') },
    bus,
    telemetry: {
      subscribe: (listener: typeof telemetry) => {
        telemetry = listener;
        return () => (telemetry = undefined);
      },
    },
  } as unknown as Services;
  server = await startHostServer({
    services,
    listener: await openListener({ host: '127.0.0.1', port: 0, secure: false }),
    tokens: [],
    launchToken: newToken(),
    rendererDir,
    log: (message) => log.push(message),
    maxUploadBytes: 1000,
  });
});

afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
  log.length = 0;
});

/** Without fetch, which would neither send a false Host nor `..` in a path. */
function ask(
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: Buffer } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {} } = options;
    const sent = httpRequest({ host: '127.0.0.1', port: server.port, path, method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    sent.on('error', reject);
    sent.end(options.body);
  });
}

const origin = (): string => `http://127.0.0.1:${server.port}`;

const bearer = (): Record<string, string> => ({
  authorization: `Bearer ${new URL(server.url).searchParams.get('token') ?? ''}`,
});

async function cookie(): Promise<string> {
  const { headers } = await ask(server.url.slice(origin().length));
  return headers['set-cookie']?.[0]?.split(';')[0] ?? '';
}

describe('pages', () => {
  it('the printed address gives a session cookie, the cookie gives the console', async () => {
    const first = await ask(server.url.slice(origin().length));
    expect(first).toMatchObject({ status: 303, headers: { location: '/' } });
    expect(first.headers['set-cookie']?.[0]).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
    const page = await ask('/', { headers: { cookie: await cookie() } });
    expect(page).toMatchObject({ status: 200, body: '<title>Sluice</title>' });
    for (const rule of ["default-src 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"])
      expect(page.headers['content-security-policy']).toContain(rule);
    expect(page.headers['x-content-type-options']).toBe('nosniff');
  });

  it('without the cookie the page says what to do', async () => {
    expect(await ask('/')).toMatchObject({
      status: 401,
      body: expect.stringContaining('sluice host') as string,
    });
    expect(await ask('/?token=wrong')).toMatchObject({ status: 401 });
    expect(await ask('/', { headers: { cookie: `sluice-session-${server.port}=guess` } })).toMatchObject({
      status: 401,
    });
  });

  it.each([
    '/../secret.json',
    '/..%2fsecret.json',
    '/%2e%2e/secret.json',
    '/assets/..%5c..%5csecret.json',
    '/assets/../../secret.json',
    '/%00index.html',
    '/%zz',
    '/assets',
    '/missing.js',
    '//etc/hosts',
  ])('nothing outside the bundle: %s', async (path) => {
    const answer = await ask(path, { headers: { cookie: await cookie() } });
    expect(answer.status).toBe(404);
    expect(answer.body).not.toContain('{}');
  });

  it.each([
    ['a rebound name', { host: 'evil.example' }],
    ['a rebound name with our port', { host: 'evil.example:80' }],
    ['a page of another origin', { origin: 'http://evil.example' }],
    ['a page of another local server', { origin: 'http://127.0.0.1:1' }],
    ['a sandboxed page', { origin: 'null' }],
  ])('refuses %s', async (_who, headers) => {
    const all = { cookie: await cookie(), ...headers };
    expect(await ask('/', { headers: all })).toMatchObject({ status: 403 });
    expect(await ask('/upload?name=m.onnx', { method: 'POST', headers: all })).toMatchObject({ status: 403 });
  });

  it.each(['//', '///x', 'http://[', '*'])('lives on when it is asked for %j', async (path) => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const key = { 'sec-websocket-key': Buffer.alloc(16).toString('base64') };
    expect((await ask(path, { headers: { ...headers, ...key } })).status).toBe(404);
    expect((await ask(path)).status).toBeGreaterThanOrEqual(400);
    expect(await ask('/')).toMatchObject({ status: 401 });
  });

  it('knows no other methods', async () => {
    expect(await ask('/', { method: 'DELETE' })).toMatchObject({ status: 405 });
  });
});

describe('the log-in', () => {
  const form = 'application/x-www-form-urlencoded';
  const html = { accept: 'text/html' };
  const token = (): string => new URL(server.url).searchParams.get('token') ?? '';
  const logIn = (given: string, headers: Record<string, string> = {}): Promise<Answer> =>
    ask('/login', {
      method: 'POST',
      headers: { origin: origin(), 'content-type': form, ...headers },
      body: Buffer.from(new URLSearchParams({ token: given }).toString()),
    });

  it('is a page without script in place of the console', async () => {
    for (const path of ['/', '/index.html', '/login', '/?token=wrong']) {
      const page = await ask(path, { headers: html });
      expect(page).toMatchObject({ status: 401, headers: { 'content-type': 'text/html; charset=utf-8' } });
      expect(page.body).toContain('<form method="post" action="/login">');
      expect(page.body).not.toContain('<script');
      expect(page.headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'self'; img-src/,
      );
      // Under no-referrer browsers send "Origin: null" with a form.
      expect(page.headers['referrer-policy']).toBe('same-origin');
    }
    expect(await ask('/login.css')).toMatchObject({ status: 200 });
  });

  it('gives a session that is not the token, and takes it away', async () => {
    const entered = await logIn(` ${token()}\n`);
    expect(entered).toMatchObject({ status: 303, headers: { location: '/' } });
    const own = entered.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect(own).not.toContain(token());
    expect(await ask('/', { headers: { cookie: own } })).toMatchObject({ status: 200 });
    expect(await ask('/login', { headers: { cookie: own } })).toMatchObject({ status: 303 });
    const out = { method: 'POST', headers: { cookie: own, origin: origin() } };
    const gone = await ask('/logout', out);
    expect(gone).toMatchObject({ status: 204 });
    expect(gone.headers['set-cookie']?.[0]).toMatch(/=; .*Max-Age=0$/);
    expect(await ask('/', { headers: { cookie: own } })).toMatchObject({ status: 401 });
    expect(await ask('/logout', out)).toMatchObject({ status: 401 });
  });

  it.each([
    ['no token', 401, '', {}],
    ['a wrong token', 401, 'guess', {}],
    ['another body', 400, 'guess', { 'content-type': 'application/json' }],
    ['no type', 400, 'guess', { 'content-type': '' }],
    ['too much', 400, 'x'.repeat(9000), {}],
    ['a page of another origin', 403, 'guess', { origin: 'http://evil.example' }],
    ['a page that hides its origin', 403, 'guess', { origin: 'null' }],
  ])('refuses %s', async (_what, status, given, headers) => {
    expect(await logIn(given, headers)).toMatchObject({ status });
  });

  it('takes no form without an origin, though the token is right', async () => {
    const body = Buffer.from(`token=${token()}`);
    const answer = await ask('/login', { method: 'POST', headers: { 'content-type': form }, body });
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it.each(['cross-site', 'same-site'])('a %s link with a token logs nobody in', async (site) => {
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    const answer = await ask(`/?token=${token()}`, { headers });
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('bars an address after ten wrong tokens, however they come; a right one does not help', async () => {
    const guesses = [
      () => logIn('guess'),
      () => ask('/?token=guess'),
      () => ask('/', { headers: { authorization: 'Bearer guess' } }),
    ];
    for (let n = 0; n < 10; n += 1) expect((await guesses[n % 3]!()).status).toBe(401);
    for (const again of [...guesses, () => logIn(token()), () => ask('/', { headers: bearer() })]) {
      const answer = await again();
      expect(answer.status).toBe(429);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
  });

  it('a session that is there is not barred', async () => {
    const own = await cookie();
    for (let n = 0; n < 12; n += 1) await logIn('guess');
    expect(await ask('/', { headers: { cookie: own } })).toMatchObject({ status: 200 });
  });
});

describe('limits', () => {
  const start = async (rates: Partial<HostRates>): Promise<void> => {
    await server.close();
    server = await startHostServer({
      services,
      listener: await openListener({ host: '127.0.0.1', port: 0, secure: false }),
      tokens: [],
      launchToken: newToken(),
      rendererDir: join(folder, 'renderer'),
      rates,
      log: () => undefined,
    });
  };

  it('strangers may ask so often, those with a session always', async () => {
    await start({ strangers: { count: 3, perSec: 600 } });
    const own = await cookie();
    const asked = [await ask('/'), await ask('/login.css'), await ask('/')];
    expect(asked.map(({ status }) => status)).toEqual([401, 200, 429]);
    expect(await ask('/', { headers: { cookie: own } })).toMatchObject({ status: 200 });
    // What another site's page asks for is not counted as its visitor's.
    expect(await ask('/', { headers: { origin: 'http://evil.example' } })).toMatchObject({ status: 403 });
  });

  it('uploads are counted by session', async () => {
    await start({ uploads: { count: 1, perSec: 600 } });
    const upload = (own: string): Promise<Answer> =>
      ask('/upload?name=a.onnx', {
        method: 'POST',
        headers: { cookie: own, origin: origin() },
        body: Buffer.from('a'),
      });
    const own = await cookie();
    expect((await upload(own)).status).toBe(200);
    expect(await upload(own)).toMatchObject({
      status: 429,
      headers: { 'retry-after': expect.any(String) as string },
    });
    expect((await upload(await cookie())).status).toBe(200);
  });

  it('headers have a limit', async () => {
    expect(await ask('/', { headers: { 'x-long': 'x'.repeat(20_000) } })).toMatchObject({ status: 431 });
  });

  it('while it starts, and when it ends, it says so', async () => {
    const listener = await openListener({ host: '127.0.0.1', port: 0, secure: false });
    const answer = await fetch(`http://127.0.0.1:${listener.port}/`);
    expect(answer.status).toBe(503);
    await listener.close();
  });
});

describe('uploads', () => {
  const upload = async (name: string, body: Buffer): Promise<Answer> =>
    ask(`/upload?name=${encodeURIComponent(name)}`, {
      method: 'POST',
      headers: { cookie: await cookie(), origin: origin() },
      body,
    });

  it('keeps a file under its own name in a folder of its own', async () => {
    const answers = [
      await upload('my model.onnx', Buffer.from('one')),
      await upload('my model.onnx', Buffer.from('two')),
    ];
    const paths = answers.map(({ body }) => (JSON.parse(body) as { path: string }).path);
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(['one', 'two']);
    expect(paths[0]).toMatch(/\/data\/uploads\/\d+-\d*\/[0-9a-f]{16}\/my-model\.onnx$/);
  });

  it('needs the cookie', async () => {
    const headers = { origin: origin() };
    expect(await ask('/upload?name=m.onnx', { method: 'POST', headers })).toMatchObject({ status: 401 });
  });

  it.each([
    ['told', {}],
    ['untold', { 'transfer-encoding': 'chunked' }],
  ])('refuses one that is too large, its size %s, and keeps nothing', async (_how, headers) => {
    const sending = ask('/upload?name=big.onnx', {
      method: 'POST',
      headers: { cookie: await cookie(), origin: origin(), ...headers },
      body: Buffer.alloc(5000),
    });
    expect(await sending).toMatchObject({ status: 400, body: expect.stringContaining('1000 B') as string });
    expect(existsSync(join(folder, 'data', 'uploads'))).toBe(false);
  });

  it.each([
    ['../../etc/passwd', 'passwd'],
    ['C:\\models\\net.onnx', 'net.onnx'],
    ['.bashrc', 'bashrc'],
    ['a b\u0000c.onnx', 'a-b-c.onnx'],
  ])('%j is stored as %s', (name, stored) => expect(safeFileName(name)).toBe(stored));

  it.each(['', '..', '/', '///'])('%j is no name', (name) =>
    expect(() => safeFileName(name)).toThrow(/file name/),
  );
});

describe('a program', () => {
  const upload = (headers: Record<string, string>): Promise<Answer> =>
    ask('/upload?name=m.onnx', { method: 'POST', headers, body: Buffer.from('one') });

  it('is let in by the token alone', async () => {
    expect(await ask('/', { headers: bearer() })).toMatchObject({ status: 200 });
    expect(await upload(bearer())).toMatchObject({ status: 200 });
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer guess' }],
    ['another scheme', { authorization: 'Basic guess' }],
  ])('is told why it is refused: %s', async (_what, headers) => {
    expect(await ask('/', { headers })).toMatchObject({ status: 401 });
    expect(await upload(headers)).toMatchObject({
      status: 401,
      body: expect.stringContaining('token') as string,
    });
  });
});

describe('the socket', () => {
  const open = (headers: Record<string, string>, path = '/engine'): Promise<WebSocket> =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}${path}`, { headers });
      socket.once('open', () => resolve(socket));
      socket.once('error', reject);
    });
  const next = (socket: WebSocket): Promise<unknown> =>
    new Promise((resolve) => socket.once('message', (data: Buffer) => resolve(decodeWire(data))));

  it('answers requests and tells events, typed arrays included', async () => {
    const socket = await open({ cookie: await cookie(), origin: origin() });
    socket.send(encodeWire({ id: 1, request: 'engine.info', input: {} }));
    expect(await next(socket)).toMatchObject({ id: 1, reply: { ok: true, value: { version: '1' } } });
    socket.send(encodeWire({ id: 2, request: 'no.such', input: {} }));
    expect(await next(socket)).toMatchObject({ id: 2, reply: { ok: false, error: { code: 'bad-input' } } });
    bus.emit('models', []);
    expect(await next(socket)).toEqual({ event: 'models', payload: [] });

    socket.send(encodeWire({ id: 3, request: 'telemetry.watch', input: { on: true } }));
    await next(socket);
    const timeMs = new Float64Array([1, 2]);
    expect(telemetry?.({ timeMs, series: {} as TelemetryBatch['series'], dropped: 0 })).toBe(true);
    expect(await next(socket)).toEqual({ event: 'telemetry', payload: { timeMs, series: {}, dropped: 0 } });
    socket.close();
    await expect.poll(() => telemetry).toBeUndefined();
  });

  it('holds telemetry back while the browser does not read', async () => {
    const socket = await open({ cookie: await cookie(), origin: origin() });
    socket.send(encodeWire({ id: 3, request: 'telemetry.watch', input: { on: true } }));
    await next(socket);
    socket.pause();
    const series = {} as TelemetryBatch['series'];
    const batch = { timeMs: new Float64Array(1 << 17), series, dropped: 0 };
    const taken = Array.from({ length: 40 }, () => telemetry?.(batch));
    expect(taken[0]).toBe(true);
    expect(taken.at(-1)).toBe(false);
    socket.terminate();
  });

  it.each([
    ['no cookie', 401, () => ({ origin: origin() })],
    ['a session without an origin', 401, async () => ({ cookie: await cookie() })],
    ['a wrong token', 401, () => ({ authorization: 'Bearer guess' })],
    ['a foreign origin', 403, async () => ({ cookie: await cookie(), origin: 'http://evil.example' })],
    ['a foreign origin with the token', 403, () => ({ ...bearer(), origin: 'http://evil.example' })],
    ['a rebound host', 403, async () => ({ cookie: await cookie(), origin: origin(), host: 'evil.example' })],
  ])('refuses %s', async (_who, status, headers) => {
    await expect(open(await headers())).rejects.toThrow(String(status));
  });

  it('opens for a program with the token', async () => {
    const socket = await open(bearer());
    socket.send(encodeWire({ id: 1, request: 'engine.info', input: {} }));
    expect(await next(socket)).toMatchObject({ id: 1, reply: { ok: true } });
    socket.terminate();
  });

  it('is closed by logging out', async () => {
    const own = await cookie();
    const socket = await open({ cookie: own, origin: origin() });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await ask('/logout', { method: 'POST', headers: { cookie: own, origin: origin() } });
    expect(await closed).toBe(4401);
  });

  it('is at /engine only', async () => {
    await expect(open({ cookie: await cookie(), origin: origin() }, '/other')).rejects.toThrow(/404/);
  });

  it.each([
    ['text', 'hello'],
    ['garbage', Buffer.from([0xc1])],
  ])('closes on %s', async (_what, frame) => {
    const socket = await open({ cookie: await cookie(), origin: origin() });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.send(frame);
    expect(await closed).toBe(1007);
  });
});

it('says that a port is taken', async () => {
  const again = openListener({ host: '127.0.0.1', port: server.port, secure: false });
  await expect(again).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('--port') as string,
  });
});
