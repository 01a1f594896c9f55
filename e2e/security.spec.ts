import { expect } from '@playwright/test';
import { test } from './fixtures';

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
      script.textContent = 'window.inlineRan = true';
      document.head.append(script);
      setTimeout(() => done(window.inlineRan === true), 50);
    })`);
    expect(ran).toBe(false);
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

async function metaPolicy(page: { evaluate: <T>(expression: string) => Promise<T> }): Promise<string> {
  return page.evaluate<string>(
    "document.querySelector('meta[http-equiv=\"Content-Security-Policy\"]')?.content ?? ''",
  );
}
