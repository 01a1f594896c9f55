import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { test } from './fixtures';

// Of Electron alone: its window, its protocol and its keychain. What the host refuses is in headless.spec.ts.
test.describe('the window', () => {
  test('runs isolated, sandboxed and without Node', async ({ electronConsole: { app, page } }) => {
    const preferences = await app.evaluate(({ BrowserWindow }) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents as unknown as {
        getLastWebPreferences: () => Record<string, unknown>;
      };
      return contents.getLastWebPreferences();
    });
    expect(preferences).toMatchObject({
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
    });
    expect(preferences['webviewTag']).not.toBe(true);
    expect(preferences['nodeIntegrationInWorker']).not.toBe(true);
    const seen = await page.evaluate<string>(
      '[typeof require, typeof process, typeof module, typeof Buffer, typeof ipcRenderer].join()',
    );
    expect(seen).toBe('undefined,undefined,undefined,undefined,undefined');
  });

  test('loads from its own protocol under a policy that starts from nothing', async ({
    electronConsole: { page },
  }) => {
    expect(page.url()).toMatch(/^app:\/\/sluice\//);
    const response = await page.reload();
    const policy = response?.headers()['content-security-policy'] ?? (await metaPolicy(page));
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe-eval');
    expect(policy).toMatch(/script-src 'self'/);
  });

  test('refuses inline scripts and eval', async ({ electronConsole: { page } }) => {
    const ran = await page.evaluate<boolean>(`new Promise((done) => {
      const script = document.createElement('script');
      try { script.append('window.inlineRan = true'); } catch { /* no text at all */ }
      document.head.append(script);
      setTimeout(() => done(window.inlineRan === true), 50);
    })`);
    expect(ran).toBe(false);
  });

  test('loads nothing evaluated, inline or from elsewhere, and is shown in no frame', async ({
    electronConsole: { page, ui },
  }) => {
    await ui.ready();
    const tried = await page.evaluate<Record<string, string>>(`(async () => {
      const elsewhere = 'https://example.invalid/x';
      const blocked = [];
      document.addEventListener('securitypolicyviolation', (event) => blocked.push(event.effectiveDirective));
      const outcome = (made) => new Promise((done) => {
        made.onload = () => done('loaded');
        made.onerror = () => done('refused');
        setTimeout(() => done('refused'), 500);
        document.body.append(made);
      });
      const make = (tag, fields) => Object.assign(document.createElement(tag), fields);
      // A text of ours: what it makes of it is the page's doing, in its own world.
      const evaluated = await new Promise((done) => {
        window.addEventListener('message', ({ data }) => data === 'evaluated' && done('ran'), { once: true });
        try { setTimeout("window.postMessage('evaluated')", 0); } catch { done('refused'); }
        setTimeout(() => done('refused'), 300);
      });
      const result = {
        evaluated,
        // Elements of scripts take no address that is a text.
        script: await import(elsewhere).then(() => 'loaded', () => 'refused'),
        data: await import('data:text/javascript,window.dataRan=1').then(() => 'loaded', () => 'refused'),
        style: await outcome(make('link', { rel: 'stylesheet', href: elsewhere })),
        image: await outcome(make('img', { src: elsewhere })),
        object: await (async () => {
          const holder = make('object', {});
          try { holder.data = elsewhere; } catch { return 'refused'; }
          return outcome(holder);
        })(),
        fetched: await fetch(elsewhere).then(() => 'loaded', () => 'refused'),
        socket: await new Promise((done) => {
          try {
            const socket = new WebSocket('ws://127.0.0.1:9/');
            socket.onerror = () => done('refused');
          } catch { done('refused'); }
        }),
      };
      const styled = make('p', {});
      styled.setAttribute('style', 'position: fixed');
      document.body.append(styled);
      result.inlineStyle = getComputedStyle(styled).position === 'fixed' ? 'applied' : 'refused';
      result.inlineHandler = (() => {
        const button = document.createElement('button');
        try { button.setAttribute('onclick', 'window.handlerRan = true'); } catch { return 'refused'; }
        document.body.append(button);
        button.click();
        return window.handlerRan === true ? 'ran' : 'refused';
      })();
      return { ...result, blocked: [...new Set(blocked)].sort().join() };
    })()`);
    const { blocked, ...outcomes } = tried;
    expect([...new Set(Object.values(outcomes))], JSON.stringify(tried)).toEqual(['refused']);
    for (const directive of ['connect-src', 'img-src', 'script-src-elem', 'style-src-elem'])
      expect(blocked).toContain(directive);
    const policy = (await page.reload())?.headers()['content-security-policy'] ?? (await metaPolicy(page));
    for (const rule of ["frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"])
      expect(policy).toContain(rule);
  });

  test('makes no text markup, script or the address of one', async ({ electronConsole: { page, ui } }) => {
    await ui.ready();
    const outcomes = await page.evaluate<Record<string, string>>(`(() => {
      const outcome = (assign) => {
        try { assign(); return 'taken'; } catch (error) { return error.name; }
      };
      const made = (tag) => document.createElement(tag);
      return {
        innerHTML: outcome(() => { made('p').innerHTML = '<b>x</b>'; }),
        outerHTML: outcome(() => { document.body.appendChild(made('p')).outerHTML = '<b>x</b>'; }),
        adjacent: outcome(() => made('p').insertAdjacentHTML('beforeend', '<b>x</b>')),
        write: outcome(() => document.write('<b>x</b>')),
        parser: outcome(() => new DOMParser().parseFromString('<b>x</b>', 'text/html')),
        fragment: outcome(() => document.createRange().createContextualFragment('<b>x</b>')),
        source: outcome(() => { made('script').src = 'app://sluice/assets/a.js'; }),
        script: outcome(() => { made('script').text = 'window.x = 1'; }),
        framed: outcome(() => { made('iframe').srcdoc = '<b>x</b>'; }),
        worker: outcome(() => new Worker('app://sluice/assets/a.js')),
        policy: outcome(() => trustedTypes.createPolicy('default', { createHTML: (text) => text })),
      };
    })()`);
    expect([...new Set(Object.values(outcomes))], JSON.stringify(outcomes)).toEqual(['TypeError']);
  });

  test('does not navigate away, open windows or grant permissions', async ({
    electronConsole: { app, page },
  }) => {
    const before = page.url();
    await page.evaluate("location.href = 'https://example.invalid/'; undefined");
    await page.evaluate("location.href = 'file:///etc/hostname'; undefined");
    expect(await page.evaluate<boolean>("window.open('https://example.invalid/') === null")).toBe(true);
    const permission = await page.evaluate<string>(
      'Notification.requestPermission().then(String, (error) => error.name)',
    );
    expect(permission).toBe('denied');
    const camera = await page.evaluate<string>(
      "navigator.mediaDevices.getUserMedia({ video: true }).then(() => 'granted', (error) => error.name)",
    );
    expect(camera).not.toBe('granted');
    await page.waitForTimeout(300);
    expect(page.url()).toBe(before);
    expect(await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)).toBe(1);
  });

  test('serves nothing outside its bundle', async ({ electronConsole: { app } }) => {
    const answers = await app.evaluate(async ({ net }) => {
      const urls = [
        'app://sluice/../main/index.js',
        'app://sluice/%2e%2e/main/index.js',
        'app://sluice/..%2f..%2fpackage.json',
        'app://elsewhere/index.html',
        'app://sluice/no-such-file.html',
      ];
      return Promise.all(
        urls.map(async (url) => {
          try {
            return [url, (await net.fetch(url)).status];
          } catch (error) {
            return [url, String(error)];
          }
        }),
      );
    });
    for (const [url, status] of answers) expect(status, String(url)).not.toBe(200);
  });

  test('keeps its profile where it is told', async ({ electronConsole: { app }, dataDir }) => {
    expect(await app.evaluate(({ app: electron }) => electron.getPath('userData'))).toContain(dataDir);
  });
});

test.describe('the token of an endpoint', () => {
  const TOKEN = 'an-endpoint-token-7f3a9c51e2';
  const ID = 'endpoint-1';
  const keep = `window.sluice.request['secrets.keep'](${JSON.stringify({ endpointId: ID, token: TOKEN })})`;

  test('is refused, and written nowhere, where there is no keychain', async ({
    electronConsole: { app, page, ui },
    dataDir,
  }) => {
    await ui.ready();
    await app.evaluate(({ safeStorage }) => {
      Object.assign(safeStorage, { isEncryptionAvailable: () => false });
    });
    const state = await page.evaluate<unknown>("window.sluice.request['secrets.state']({})");
    expect(state).toMatchObject({ ok: true, value: { available: false } });
    expect(await page.evaluate<unknown>(keep)).toMatchObject({ ok: false, error: { code: 'unsupported' } });
    await app.close();
    expect(filesWith(dataDir, TOKEN)).toEqual([]);
    expect(filesUnder(dataDir).filter((path) => path.includes('endpoint-tokens'))).toEqual([]);
  });

  test('is kept encrypted by the keychain of this machine, or refused', async ({
    electronConsole: { app, page, ui },
    dataDir,
  }) => {
    await ui.ready();
    const state = await page.evaluate<{ readonly value: { readonly available: boolean } }>(
      "window.sluice.request['secrets.state']({})",
    );
    const kept = await page.evaluate<{ readonly ok: boolean }>(keep);
    expect(kept.ok).toBe(state.value.available);
    await app.close();
    expect(filesWith(dataDir, TOKEN)).toEqual([]);
  });

  test('is in no file in plain text once kept, also after the engine was given it', async ({
    electronConsole: { app, page, ui },
    dataDir,
  }) => {
    await ui.ready();
    // Test machines have no keyring: this one turns every bit.
    await app.evaluate(({ safeStorage }) => {
      const turned = (bytes: Buffer): Buffer => Buffer.from(bytes.map((byte) => ~byte));
      Object.assign(safeStorage, {
        isEncryptionAvailable: () => true,
        getSelectedStorageBackend: () => 'gnome_libsecret',
        encryptString: (text: string) => turned(Buffer.from(text)),
        decryptString: (ciphertext: Buffer) => turned(ciphertext).toString(),
      });
    });
    expect(await page.evaluate<unknown>(keep)).toEqual({ ok: true, value: {} });
    const pid = await app.evaluate(({ app: electron }) => {
      return electron.getAppMetrics().find(({ name }) => name === 'Sluice engine')?.pid;
    });
    process.kill(pid!, 'SIGKILL');
    await expect(ui.engineStatus).not.toHaveAttribute('data-state', 'ok');
    await ui.ready();
    await app.close();
    const file = join(dataDir, 'profile', 'endpoint-tokens.json');
    const written = JSON.parse(readFileSync(file, 'utf8')) as { readonly tokens: Record<string, string> };
    const ciphertext = Buffer.from(written.tokens[ID]!, 'base64').map((byte) => ~byte);
    expect(Buffer.from(ciphertext).toString()).toBe(TOKEN);
    if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(filesWith(dataDir, TOKEN)).toEqual([]);
  });
});

function filesUnder(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** Files that hold a text as it is, as UTF-16, or in an encoding that needs no key. */
function filesWith(folder: string, text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const forms = [
    bytes,
    Buffer.from(text, 'utf16le'),
    // Up to a byte less at either end, which depends on what stands before and behind it.
    ...[0, 1, 2].map((skip) => Buffer.from(bytes.subarray(skip).toString('base64').slice(0, -4))),
    Buffer.from(bytes.toString('hex')),
  ];
  return filesUnder(folder).filter((path) => {
    const content = readFileSync(path);
    return forms.some((form) => content.includes(form));
  });
}

async function metaPolicy(page: { evaluate: <T>(expression: string) => Promise<T> }): Promise<string> {
  return page.evaluate<string>(
    "document.querySelector('meta[http-equiv=\"Content-Security-Policy\"]')?.content ?? ''",
  );
}
