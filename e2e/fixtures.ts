import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import {
  _electron,
  test as base,
  chromium,
  type Browser,
  type ElectronApplication,
  type Page,
  type TestInfo,
} from '@playwright/test';
import { ConsolePage } from './pages/console-page';
import { putExample } from './prepared-library';

const ROOT = resolve(__dirname, '..');
const SCREENS = join(ROOT, 'test-results', 'screens');
/** Names of hostile sites lead to this machine, as an attacker's name server would have it. */
const HOSTILE_NAMES = '--host-resolver-rules=MAP *.example 127.0.0.1';
const VIEWPORT = { width: 1280, height: 800 };
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

/** The console in the shell of the project. */
export interface Console {
  readonly page: Page;
  readonly ui: ConsolePage;
  /** Answers the next question for a model's file: a dialog in Electron, a file input in a browser. */
  readonly chooseFile: (path: string) => Promise<void>;
  /** Takes what is saved next to a path: by a dialog in Electron, as a download in a browser. */
  readonly saveNextTo: (path: string) => Promise<void>;
}

export interface ShellOptions {
  /** What the console runs in. Tests tagged @both run in either, once a project. */
  readonly shell: 'electron' | 'chromium';
  /** What the test begins with. `example`: the example's models, where it is no matter how they got there. */
  readonly library: 'empty' | 'example';
}

/** `sluice host` as a process of its own. */
export interface HostProcess {
  readonly url: string;
  readonly port: number;
  /** Given when it listens with TLS, or made a token. */
  readonly certificateFingerprint?: string;
  readonly token?: string;
  readonly end: () => Promise<void>;
}

interface Fixtures extends ShellOptions {
  /** For this test's files; gone after it. */
  readonly dataDir: string;
  /** Where its engine keeps models and runs. */
  readonly engineDir: string;
  readonly electronConsole: ElectronConsole;
  readonly webConsole: WebConsole;
  readonly console: Console;
  /** Without a page. */
  readonly chromiumBrowser: Browser;
  /** Starts `sluice host` with options, on the test's data folder and any free port. It ends with the test. */
  readonly startHost: (...args: readonly string[]) => Promise<HostProcess>;
}

export const test = base.extend<Fixtures>({
  // Playwright reads what a fixture needs from this pattern, also when it needs nothing.
  dataDir: async ({}, use) => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
    await use(dir);
    rmSync(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  },

  library: ['empty', { option: true }],

  engineDir: async ({ dataDir, library }, use) => {
    const dir = engineDirIn(dataDir);
    if (library === 'example') await putExample(dir);
    await use(dir);
  },

  // All that start an engine ask for its folder, which is then ready.
  electronConsole: async ({ dataDir, engineDir: _ready }, use, info) => {
    const app = await launchElectron(dataDir, info);
    try {
      const page = await app.firstWindow({ timeout: 30_000 });
      await use({ app, page, ui: new ConsolePage(page) });
    } finally {
      await app.close();
    }
  },

  shell: ['electron', { option: true }],

  chromiumBrowser: async ({}, use, info) => {
    const executablePath = process.env['SLUICE_E2E_CHROMIUM'];
    info.skip(executablePath === undefined, process.env['SLUICE_E2E_NO_CHROMIUM'] ?? 'no Chromium');
    const args = [...SANDBOX_ARGS, HOSTILE_NAMES];
    const browser = await chromium.launch({ executablePath: executablePath ?? '', args });
    await use(browser);
    await browser.close();
  },

  startHost: async ({ engineDir }, use) => {
    const hosts: HostProcess[] = [];
    await use(async (...args) => {
      const host = await startHost(engineDir, args);
      hosts.push(host);
      return host;
    });
    await Promise.all(hosts.map((host) => host.end()));
  },

  webConsole: async ({ chromiumBrowser, startHost: start }, use) => {
    const { url } = await start();
    const context = await chromiumBrowser.newContext({ viewport: VIEWPORT });
    const page = await context.newPage();
    await page.goto(url);
    await use({ page, ui: new ConsolePage(page), url });
  },

  // Only the shell that is wanted starts, so neither fixture may be asked for by name.
  console: async ({ shell, dataDir, engineDir }, use, info) => {
    if (shell === 'electron') await useElectron(dataDir, info, use);
    else await useBrowser(engineDir, info, use);
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
      SLUICE_DATA_DIR: engineDirIn(dataDir),
      // The fallback Electron is too old for the lab's server.
      SLUICE_NODE: process.execPath,
    },
    timeout: 30_000,
  });
}

/** The console that asks where a file is by a dialog of the system. */
async function useElectron(
  dataDir: string,
  info: TestInfo,
  use: (console: Console) => Promise<void>,
): Promise<void> {
  const app = await launchElectron(dataDir, info);
  try {
    const page = await app.firstWindow({ timeout: 30_000 });
    const chooseFile = async (path: string): Promise<void> => {
      await app.evaluate(({ dialog }, file) => {
        dialog.showOpenDialog = () => Promise.resolve({ canceled: false, filePaths: [file] });
      }, path);
    };
    const saveNextTo = async (path: string): Promise<void> => {
      await app.evaluate(({ dialog }, filePath) => {
        dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath });
      }, path);
    };
    await use({ page, ui: new ConsolePage(page), chooseFile, saveNextTo });
  } finally {
    await app.close();
  }
}

/** The console that a file is uploaded from. */
async function useBrowser(
  engineDir: string,
  info: TestInfo,
  use: (console: Console) => Promise<void>,
): Promise<void> {
  const executablePath = process.env['SLUICE_E2E_CHROMIUM'];
  info.skip(executablePath === undefined, process.env['SLUICE_E2E_NO_CHROMIUM'] ?? 'no Chromium');
  const host = await startHost(engineDir, []);
  try {
    const browser = await chromium.launch({ executablePath: executablePath ?? '', args: SANDBOX_ARGS });
    try {
      const page = await (await browser.newContext({ viewport: VIEWPORT })).newPage();
      await page.goto(host.url);
      const chooseFile = (path: string): Promise<void> => {
        page.once('filechooser', (chooser) => void chooser.setFiles(path));
        return Promise.resolve();
      };
      const saveNextTo = (path: string): Promise<void> => {
        page.once('download', (download) => void download.saveAs(path));
        return Promise.resolve();
      };
      await use({ page, ui: new ConsolePage(page), chooseFile, saveNextTo });
    } finally {
      await browser.close();
    }
  } finally {
    await host.end();
  }
}

/** Saves what is shown as test-results/screens/NAME.png (browser-NAME.png), for a person to look at. */
export async function saveScreen(page: Page, name: string): Promise<void> {
  mkdirSync(SCREENS, { recursive: true });
  const shell = page.url().startsWith('http') ? 'browser-' : '';
  await page.screenshot({ path: join(SCREENS, `${shell}${name}.png`) });
}

function definedEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])),
  );
}

function engineDirIn(dataDir: string): string {
  return join(dataDir, 'data');
}

async function startHost(engineDir: string, args: readonly string[]): Promise<HostProcess> {
  const cli = join(ROOT, 'out', 'main', 'cli.js');
  const child = spawn(process.execPath, [cli, '--json', 'host', '--port', '0', ...args], {
    env: { ...process.env, SLUICE_DATA_DIR: engineDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  try {
    return { ...(await printedBy(child)), end: () => end(child) };
  } catch (thrown) {
    await end(child);
    throw thrown;
  }
}

/** The one document that `--json` prints once the host can be reached. */
function printedBy(host: ChildProcess): Promise<Omit<HostProcess, 'end'>> {
  return new Promise((done, fail) => {
    let printed = '';
    let said = '';
    const timer = setTimeout(() => {
      fail(new Error(`sluice host told no address within 30 s. It said:\n${said}`));
    }, 30_000);
    host.stdout?.on('data', (chunk: Buffer) => {
      printed += chunk.toString('utf8');
      if (!printed.endsWith('\n}\n')) return;
      clearTimeout(timer);
      done(JSON.parse(printed) as Omit<HostProcess, 'end'>);
    });
    host.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    host.once('exit', (code) => {
      clearTimeout(timer);
      fail(new Error(`sluice host ended with code ${String(code)}. It said:\n${said}${printed}`));
    });
  });
}

/** Asks it to end, and makes it end after ten seconds. */
export function end(child: ChildProcess, signal: 'SIGINT' | 'SIGTERM' = 'SIGINT'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.once('exit', () => {
      clearTimeout(timer);
      done();
    });
    child.kill(signal);
  });
}

/** Where Chromium's own port is: Playwright's way into an Electron is Node's inspector, which the fuses refuse. */
export async function devToolsOf(app: ChildProcess): Promise<string> {
  const said = await firstOutput(app, /ws:\/\/\S+\s/, app.stderr);
  return /ws:\/\/\S+/.exec(said)![0];
}

/** What a process says until it has said `wanted`. */
export function firstOutput(child: ChildProcess, wanted: RegExp, stream = child.stdout): Promise<string> {
  return new Promise((done, fail) => {
    let said = '';
    const timer = setTimeout(
      () => fail(new Error(`It did not say ${wanted} within 30 s, but:\n${said}`)),
      30_000,
    );
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString('utf8');
      if (!wanted.test(said)) return;
      clearTimeout(timer);
      done(said);
    });
    child.once('exit', (code) => {
      clearTimeout(timer);
      fail(new Error(`It ended with code ${String(code)} and said:\n${said}`));
    });
  });
}
