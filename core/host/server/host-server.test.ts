import { describe, expect, it } from 'vitest';

import { openListener } from './listener';
import { useConsoleServer, type Answer } from './test-support/console-server';

const ground = useConsoleServer();

describe('pages', () => {
  it('the printed address gives a session cookie, the cookie gives the console', async () => {
    const first = await ground.ask(ground.server.url.slice(ground.origin.length));
    expect(first).toMatchObject({ status: 303, headers: { location: '/' } });
    expect(first.headers['set-cookie']?.[0]).toMatch(/; HttpOnly; SameSite=Strict; Path=\/$/);
    const page = await ground.ask('/', { headers: { cookie: await ground.cookie() } });
    expect(page).toMatchObject({ status: 200, body: '<title>Sluice</title>' });
    for (const rule of ["default-src 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"])
      expect(page.headers['content-security-policy']).toContain(rule);
    expect(page.headers['x-content-type-options']).toBe('nosniff');
  });

  it('without the cookie the page says what to do', async () => {
    expect(await ground.ask('/')).toMatchObject({
      status: 401,
      body: expect.stringContaining('sluice host') as string,
    });
    expect(await ground.ask('/?token=wrong')).toMatchObject({ status: 401 });
    expect(
      await ground.ask('/', { headers: { cookie: `sluice-session-${ground.server.port}=guess` } }),
    ).toMatchObject({
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
    '/index.html/inside.js',
    `/${'long/'.repeat(100)}${'n'.repeat(300)}.js`,
  ])('nothing outside the bundle: %s', async (path) => {
    const answer = await ground.ask(path, { headers: { cookie: await ground.cookie() } });
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
    const all = { cookie: await ground.cookie(), ...headers };
    expect(await ground.ask('/', { headers: all })).toMatchObject({ status: 403 });
    expect(await ground.ask('/upload?name=m.onnx', { method: 'POST', headers: all })).toMatchObject({
      status: 403,
    });
  });

  it.each(['//', '///x', 'http://[', '*'])('lives on when it is asked for %j', async (path) => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const key = { 'sec-websocket-key': Buffer.alloc(16).toString('base64') };
    expect((await ground.ask(path, { headers: { ...headers, ...key } })).status).toBe(404);
    expect((await ground.ask(path)).status).toBeGreaterThanOrEqual(400);
    expect(await ground.ask('/')).toMatchObject({ status: 401 });
  });

  it('knows no other methods', async () => {
    expect(await ground.ask('/', { method: 'DELETE' })).toMatchObject({ status: 405 });
  });
});

describe('a program', () => {
  const upload = (headers: Record<string, string>): Promise<Answer> =>
    ground.ask('/upload?name=m.onnx', { method: 'POST', headers, body: Buffer.from('one') });

  it('is let in by the token alone', async () => {
    expect(await ground.ask('/', { headers: ground.bearer })).toMatchObject({ status: 200 });
    expect(await upload(ground.bearer)).toMatchObject({ status: 200 });
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { authorization: 'Bearer guess' }],
    ['another scheme', { authorization: 'Basic guess' }],
  ])('is told why it is refused: %s', async (_what, headers) => {
    expect(await ground.ask('/', { headers })).toMatchObject({ status: 401 });
    expect(await upload(headers)).toMatchObject({
      status: 401,
      body: expect.stringContaining('token') as string,
    });
  });
});

it('says that a port is taken', async () => {
  const again = openListener({ host: '127.0.0.1', port: ground.server.port, secure: false });
  await expect(again).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('--port') as string,
  });
});

it('while it starts, and when it ends, it says so', async () => {
  const listener = await openListener({ host: '127.0.0.1', port: 0, secure: false });
  const answer = await fetch(`http://127.0.0.1:${listener.port}/`);
  expect(answer.status).toBe(503);
  await listener.close();
});
