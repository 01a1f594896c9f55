import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  _electron,
  test as base,
  chromium,
  type ElectronApplication,
  type Page,
  type TestInfo,
} from '@playwright/test';
import { ConsolePage } from './pages/console-page';

const ROOT = resolve(__dirname, '..');
const SCREENS = join(ROOT, 'test-results', 'screens');
/** Root has no use for Chromium's sandbox: it refuses to start with it. */
const SANDBOX_ARGS = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

/** The console in the real Electron. */
export interface ElectronConsole {
  readonly app: ElectronApplication;
  readonly page: Page;
  readonly ui: ConsolePage;
}

/** The console that `sluice host` serves, in a browser. */
export interface WebConsole {
  readonly page: Page;
  readonly ui: ConsolePage;
  readonly url: string;
}

interface Fixtures {
  /** Where this test's engine keeps models and runs; gone after the test. */
  readonly dataDir: string;
  readonly electronConsole: ElectronConsole;
  readonly webConsole: WebConsole;
}

export const test = base.extend<Fixtures>({
  // Playwright reads what a fixture needs from this pattern, also when it needs nothing.
  dataDir: async ({}, use) => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
    await use(dir);
    rmSync(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  },

  electronConsole: async ({ dataDir }, use, info) => {
    const app = await launchElectron(dataDir, info);
    try {
      const page = await app.firstWindow({ timeout: 30_000 });
      await use({ app, page, ui: new ConsolePage(page) });
    } finally {
      await app.close();
    }
  },

  webConsole: async ({ dataDir }, use, info) => {
    const executablePath = process.env['SLUICE_E2E_CHROMIUM'];
    info.skip(executablePath === undefined, process.env['SLUICE_E2E_NO_CHROMIUM'] ?? 'no Chromium');
    const host = spawn(process.execPath, [join(ROOT, 'out', 'main', 'cli.js'), 'host', '--port', '0'], {
      env: { ...process.env, SLUICE_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    try {
      const url = await addressOf(host);
      const browser = await chromium.launch({ executablePath: executablePath ?? '', args: SANDBOX_ARGS });
      try {
        const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
        const page = await context.newPage();
        await page.goto(url);
        await use({ page, ui: new ConsolePage(page), url });
      } finally {
        await browser.close();
      }
    } finally {
      await end(host);
    }
  },
});

/**
 * Starts the application with a profile and a data folder of its own.
 * Skips the test where there is no Electron to be had.
 */
export async function launchElectron(dataDir: string, info: TestInfo): Promise<ElectronApplication> {
  const executablePath = process.env['SLUICE_E2E_ELECTRON'];
  info.skip(executablePath === undefined, process.env['SLUICE_E2E_NO_ELECTRON'] ?? 'no Electron');
  const appArgs = JSON.parse(process.env['SLUICE_E2E_ELECTRON_ARGS'] ?? '[]') as readonly string[];
  return _electron.launch({
    executablePath: executablePath ?? '',
    args: [...appArgs, ...SANDBOX_ARGS, `--user-data-dir=${join(dataDir, 'profile')}`],
    env: {
      ...definedEnvironment(),
      SLUICE_DATA_DIR: join(dataDir, 'data'),
      // The fallback Electron is too old for the lab's server.
      SLUICE_NODE: process.execPath,
    },
    timeout: 30_000,
  });
}

/** Saves what the window shows as test-results/screens/NAME.png, for a person to look at. */
export async function saveScreen(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENS, { recursive: true });
  await page.screenshot({ path: join(SCREENS, `${name}.png`) });
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

/** Waits for the host to tell its address on either stream. */
function addressOf(host: ChildProcess): Promise<string> {
  return new Promise((done, fail) => {
    let said = '';
    const timer = setTimeout(() => {
      fail(new Error(`sluice host told no address within 30 s. It said:\n${said}`));
    }, 30_000);
    const listen = (chunk: Buffer): void => {
      said += chunk.toString('utf8');
      const url = /https?:\/\/[^\s"']+(?=[\s"'])/.exec(said)?.[0];
      if (url === undefined) return;
      clearTimeout(timer);
      done(url);
    };
    host.stdout?.on('data', listen);
    host.stderr?.on('data', listen);
    host.once('exit', (code) => {
      clearTimeout(timer);
      fail(new Error(`sluice host ended with code ${String(code)}. It said:\n${said}`));
    });
  });
}

function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.once('exit', () => {
      clearTimeout(timer);
      done();
    });
    child.kill('SIGINT');
  });
}
