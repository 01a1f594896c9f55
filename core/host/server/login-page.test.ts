import { describe, expect, it } from 'vitest';

import { useConsoleServer, type Answer } from './test-support/console-server';

const ground = useConsoleServer();

describe('the log-in', () => {
  const form = 'application/x-www-form-urlencoded';
  const html = { accept: 'text/html' };
  const logIn = (given: string, headers: Record<string, string> = {}): Promise<Answer> =>
    ground.ask('/login', {
      method: 'POST',
      headers: { origin: ground.origin, 'content-type': form, ...headers },
      body: Buffer.from(new URLSearchParams({ token: given }).toString()),
    });

  it('is a page without script in place of the console', async () => {
    for (const path of ['/', '/index.html', '/login', '/?token=wrong']) {
      const page = await ground.ask(path, { headers: html });
      expect(page).toMatchObject({ status: 401, headers: { 'content-type': 'text/html; charset=utf-8' } });
      expect(page.body).toContain('<form method="post" action="/login">');
      expect(page.body).not.toContain('<script');
      expect(page.headers['content-security-policy']).toMatch(
        /^default-src 'none'; style-src 'self'; img-src/,
      );
      // Under no-referrer browsers send "Origin: null" with a form.
      expect(page.headers['referrer-policy']).toBe('same-origin');
    }
    expect(await ground.ask('/login.css')).toMatchObject({ status: 200 });
  });

  it('gives a session that is not the token, and takes it away', async () => {
    const entered = await logIn(` ${ground.token}\n`);
    expect(entered).toMatchObject({ status: 303, headers: { location: '/' } });
    const own = entered.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    expect(own).not.toContain(ground.token);
    expect(await ground.ask('/', { headers: { cookie: own } })).toMatchObject({ status: 200 });
    expect(await ground.ask('/login', { headers: { cookie: own } })).toMatchObject({ status: 303 });
    const out = { method: 'POST', headers: { cookie: own, origin: ground.origin } };
    const gone = await ground.ask('/logout', out);
    expect(gone).toMatchObject({ status: 204 });
    expect(gone.headers['set-cookie']?.[0]).toMatch(/=; .*Max-Age=0$/);
    expect(await ground.ask('/', { headers: { cookie: own } })).toMatchObject({ status: 401 });
    expect(await ground.ask('/logout', out)).toMatchObject({ status: 401 });
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
    const body = Buffer.from(`token=${ground.token}`);
    const answer = await ground.ask('/login', { method: 'POST', headers: { 'content-type': form }, body });
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it.each(['cross-site', 'same-site'])('a %s link with a token logs nobody in', async (site) => {
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    const answer = await ground.ask(`/?token=${ground.token}`, { headers });
    expect(answer).toMatchObject({ status: 401 });
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('bars an address after ten wrong tokens, however they come; a right one does not help', async () => {
    const guesses = [
      () => logIn('guess'),
      () => ground.ask('/?token=guess'),
      () => ground.ask('/', { headers: { authorization: 'Bearer guess' } }),
    ];
    for (let n = 0; n < 10; n += 1) expect((await guesses[n % 3]!()).status).toBe(401);
    for (const again of [
      ...guesses,
      () => logIn(ground.token),
      () => ground.ask('/', { headers: ground.bearer }),
    ]) {
      const answer = await again();
      expect(answer.status).toBe(429);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    }
  });

  it('a session that is there is not barred', async () => {
    const own = await ground.cookie();
    for (let n = 0; n < 12; n += 1) await logIn('guess');
    expect(await ground.ask('/', { headers: { cookie: own } })).toMatchObject({ status: 200 });
  });
});
