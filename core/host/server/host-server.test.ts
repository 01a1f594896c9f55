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
import { startHostServer } from './host-server';
import type { HostServer } from './host-server';
import { safeFileName } from './upload';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

let folder: string;
let server: HostServer;
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
  const services = {
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
    port: 0,
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
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
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

  it('knows no other methods', async () => {
    expect(await ask('/', { method: 'DELETE' })).toMatchObject({ status: 405 });
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
    ['no origin', 401, async () => ({ cookie: await cookie() })],
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

  it('is at /engine only', async () => {
    await expect(open({ cookie: await cookie(), origin: origin() }, '/other')).rejects.toThrow(/403/);
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
  const services = { info: { dataDir: join(folder, 'data') } } as unknown as Services;
  const again = startHostServer({ services, port: server.port, rendererDir: folder, log: () => undefined });
  await expect(again).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('--port') as string,
  });
});
