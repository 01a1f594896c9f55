import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import AxeBuilder from '@axe-core/playwright';
import { expect, type Page } from '@playwright/test';
import { saveScreen, test } from './fixtures';
import { startHostileSite } from './hostile-site';
import { ConsolePage } from './pages/console-page';
import { LoginPage } from './pages/login-page';

const WRONG_TOKENS = 10;

function tokenOf(url: string): string {
  return new URL(url).searchParams.get('token') ?? '';
}

// Of the host alone: the window's engine listens nowhere, so nobody logs in to it.
test('a browser logs in with the token, and out again', async ({ chromiumBrowser, startHost }) => {
  const host = await startHost();
  const { origin } = new URL(host.url);
  const page = await (await chromiumBrowser.newContext()).newPage();
  const login = new LoginPage(page);
  const first = await page.goto(origin);
  expect(first?.status()).toBe(401);
  await expect(login.token).toBeFocused();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  await saveScreen(page, 'login');

  await login.logIn('not the token');
  await expect(login.note).toContainText('does not open');
  await saveScreen(page, 'login-wrong');

  await login.logIn(tokenOf(host.url));
  await new ConsolePage(page).ready();
  expect(page.url()).toBe(`${origin}/`);
  const [cookie] = await page.context().cookies();
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
  expect(cookie?.value).not.toBe(tokenOf(host.url));

  const other = await page.context().newPage();
  await other.goto(origin);
  await new ConsolePage(other).ready();
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(login.token).toBeVisible();
  // The session is over in every tab.
  await expect(new LoginPage(other).token).toBeVisible();
  expect((await page.goto(origin))?.status()).toBe(401);
});

test('the login works without scripts', async ({ chromiumBrowser, startHost }) => {
  const host = await startHost();
  const context = await chromiumBrowser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(new URL(host.url).origin);
  const entered = page.waitForResponse(
    (response) => response.url().endsWith('/') && response.status() === 200,
  );
  await new LoginPage(page).logIn(tokenOf(host.url));
  await entered;
});

test('whoever guesses has to wait, even with the right token then', async ({
  chromiumBrowser,
  startHost,
}) => {
  const host = await startHost();
  const page = await chromiumBrowser.newPage();
  await page.goto(new URL(host.url).origin);
  const login = new LoginPage(page);
  for (let guess = 0; guess < WRONG_TOKENS; guess++) {
    const answered = page.waitForResponse(/\/login$/);
    await login.logIn(`guess ${guess}`);
    expect((await answered).status()).toBe(401);
  }
  for (const token of ['one more', tokenOf(host.url)]) {
    const answered = page.waitForResponse(/\/login$/);
    await login.logIn(token);
    const answer = await answered;
    expect(answer.status()).toBe(429);
    expect(Number(answer.headers()['retry-after'])).toBeGreaterThan(0);
  }
  await expect(login.note).toContainText('Try again in');
  await saveScreen(page, 'login-wait');
});

test('an expired session leads to the login', async ({ chromiumBrowser, startHost }) => {
  const host = await startHost('--session-minutes', '0.1');
  const page = await chromiumBrowser.newPage();
  await page.goto(host.url);
  await new ConsolePage(page).ready();
  await expect(new LoginPage(page).token).toBeVisible({ timeout: 30_000 });
});

test('TLS with a certificate of its own, which can be pinned and stays', async ({
  chromiumBrowser,
  startHost,
  engineDir,
}) => {
  const host = await startHost('--tls', 'self-signed');
  const context = await chromiumBrowser.newContext({ ignoreHTTPSErrors: true });
  const page = await context.newPage();
  await page.goto(new URL(host.url).origin);
  await new LoginPage(page).logIn(tokenOf(host.url));
  const ui = new ConsolePage(page);
  await ui.ready();
  await saveScreen(page, 'tls');
  const [cookie] = await context.cookies();
  expect(cookie).toMatchObject({ secure: true, sameSite: 'Strict' });
  expect(cookie?.name).toMatch(/^__Host-/);
  expect(await fingerprintAt(host.port)).toBe(host.certificateFingerprint);
  expect(statSync(join(engineDir, 'host', 'certificate-key.pem')).mode & 0o777).toBe(0o600);

  await host.end();
  const again = await startHost('--tls', 'self-signed');
  expect(again.certificateFingerprint).toBe(host.certificateFingerprint);
});

test.describe('a page of another site', () => {
  test('gets nothing by another name for this address (DNS rebinding)', async ({
    chromiumBrowser,
    startHost,
  }) => {
    const host = await startHost();
    const page = await chromiumBrowser.newPage();
    const answer = await page.goto(`http://rebound.example:${host.port}/?token=${tokenOf(host.url)}`);
    expect(answer?.status()).toBe(403);
    await expect(page.getByText('goes by another name')).toBeVisible();
    expect(await openSocket(page, `ws://rebound.example:${host.port}/engine`)).toBe('refused');
  });

  // The second is of the same site as the console: its requests carry the session's cookie.
  for (const name of ['hostile.example', '127.0.0.1']) {
    test(`can't act for a user who is logged in: ${name}`, async ({
      chromiumBrowser,
      startHost,
      engineDir,
    }) => {
      const host = await startHost();
      const { origin } = new URL(host.url);
      const site = await startHostileSite();
      try {
        const context = await chromiumBrowser.newContext();
        const page = await context.newPage();
        await page.goto(host.url);
        const ui = new ConsolePage(page);
        await ui.ready();

        const hostile = await context.newPage();
        await hostile.goto(`http://${name}:${site.port}/`);
        expect(await openSocket(hostile, `${origin.replace('http', 'ws')}/engine`)).toBe('refused');
        expect(await send(hostile, `${origin}/upload?name=evil.onnx`)).toBe('unreadable');
        expect(await send(hostile, `${origin}/logout`)).toBe('unreadable');
        expect(existsSync(join(engineDir, 'uploads'))).toBe(false);

        // A form needs no permission to be sent: its answer is a page.
        for (const path of ['/login', '/logout', '/upload']) {
          await hostile.goto(`http://${name}:${site.port}/`);
          expect(await submitForm(hostile, `${origin}${path}`, tokenOf(host.url)), path).toBe(403);
        }
        expect(existsSync(join(engineDir, 'uploads'))).toBe(false);
        await page.reload();
        await ui.ready();
      } finally {
        await site.end();
      }
    });
  }
});

function fingerprintAt(port: number): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      done(socket.getPeerCertificate().fingerprint256);
      socket.end();
    });
    socket.once('error', fail);
  });
}

function openSocket(page: Page, url: string): Promise<string> {
  return page.evaluate<string>(`new Promise((done) => {
    const socket = new WebSocket(${JSON.stringify(url)});
    socket.onopen = () => done('open');
    socket.onclose = () => done('refused');
  })`);
}

/** As a page may send anything anywhere without reading the answer; `read` when it could read it. */
function send(page: Page, url: string): Promise<string> {
  return page.evaluate<string>(`(async () => {
    const options = { method: 'POST', body: 'evil', mode: 'no-cors', credentials: 'include' };
    await fetch(${JSON.stringify(url)}, options).catch(() => undefined);
    return fetch(${JSON.stringify(url)}, { method: 'POST', body: 'evil', credentials: 'include' })
      .then(() => 'read', () => 'unreadable');
  })()`);
}

/** @returns the status of the page that the form leads to. */
async function submitForm(page: Page, url: string, token: string): Promise<number> {
  const answered = page.waitForResponse((response) => response.url() === url);
  await page.evaluate(`{
    const form = document.createElement('form');
    form.method = 'post';
    form.action = ${JSON.stringify(url)};
    const field = document.createElement('input');
    field.name = 'token';
    field.value = ${JSON.stringify(token)};
    form.append(field);
    document.body.append(form);
    form.submit();
  }`);
  await page.waitForURL(url);
  return (await answered).status();
}
