import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { SluiceError } from '../../contract';
import { DevtoolsPage } from './devtools-page';

/** An Electron that is there. */
export interface ElectronBinary {
  readonly executablePath: string;
  /** What comes first on its command line to start Sluice. */
  readonly appArgs: readonly string[];
}

/** An application that was started, its window open. */
export interface StartedShell {
  readonly page: DevtoolsPage;
  readonly pid: number;
  /** When its process was asked for: milliseconds since the Unix epoch. */
  readonly startedMs: number;
  readonly close: () => Promise<void>;
}

export interface ShellStart {
  readonly executablePath: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

const DEVTOOLS_LINE = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//;
const START_LIMIT_MS = 60_000;

/**
 * Starts Electron as a user does, but for a debugging port by which the window is seen.
 * @throws SluiceError `runtime` when it ends or opens no window within a minute.
 */
export async function startShell({ executablePath, args, env }: ShellStart): Promise<StartedShell> {
  const startedMs = performance.timeOrigin + performance.now();
  const child = spawn(executablePath, [...args, '--remote-debugging-port=0'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let page: DevtoolsPage | undefined;
  const close = async (): Promise<void> => {
    page?.close();
    await ended(child);
  };
  try {
    page = await DevtoolsPage.open(await debuggingPort(child));
    return { page, pid: child.pid ?? 0, startedMs, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

function debuggingPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string): void => {
      clearTimeout(timer);
      reject(new SluiceError('runtime', `Electron ${why}. It said:\n${said}`));
    };
    const timer = setTimeout(
      () => fail(`opened no debugging port in ${START_LIMIT_MS / 1000} s`),
      START_LIMIT_MS,
    );
    child.stderr?.on('data', (chunk: Buffer) => {
      if (said.length < 1 << 16) said += chunk.toString('utf8');
      const port = DEVTOOLS_LINE.exec(said)?.[1];
      if (port === undefined) return;
      clearTimeout(timer);
      resolve(Number(port));
    });
    child.once('error', (error) => fail(`did not start: ${error.message}`));
    child.once('exit', (code, signal) => fail(`ended with ${signal ?? `exit code ${code}`}`));
  });
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined)
    return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}

const BARE_MAIN = `const { app, BrowserWindow } = require('electron');
app.on('window-all-closed', () => app.quit());
app.whenReady().then(() => {
  const window = new BrowserWindow({ width: 1440, height: 900, show: false, webPreferences: { sandbox: true } });
  window.once('ready-to-show', () => window.show());
  window.loadFile('index.html');
});
`;
const BARE_PAGE = `<!doctype html><meta charset="utf-8"><title>Bare</title><p>Nothing</p>
<script>requestAnimationFrame(() => requestAnimationFrame(() => {
  performance.mark('sluice-interactive');
  performance.mark('sluice-filled');
}));</script>
`;

/**
 * The same Electron around an empty window: what any application of it costs.
 * @param folder of its own; on the file system of Electron's, its files are linked, else copied.
 */
export function bareElectron({ executablePath, appArgs }: ElectronBinary, folder: string): ElectronBinary {
  const app = join(folder, 'app');
  mkdirSync(app, { recursive: true });
  writeFileSync(
    join(app, 'package.json'),
    JSON.stringify({ name: 'bare', version: '1.0.0', main: 'main.js' }),
  );
  writeFileSync(join(app, 'main.js'), BARE_MAIN);
  writeFileSync(join(app, 'index.html'), BARE_PAGE);
  if (appArgs.length > 0) return { executablePath, appArgs: [app] };
  // An Electron that starts what stands in its resources takes no other application.
  const dist = join(folder, 'electron');
  const source = join(executablePath, '..');
  cpSync(source, dist, {
    recursive: true,
    filter: (from, to) => {
      if (from.startsWith(join(source, 'resources'))) return false;
      return !linked(from, to);
    },
  });
  mkdirSync(join(dist, 'resources'), { recursive: true });
  cpSync(app, join(dist, 'resources', 'app'), { recursive: true });
  rmSync(app, { recursive: true });
  return { executablePath: join(dist, 'electron'), appArgs: [] };
}

/** @returns false for a folder, or where a link is not possible. */
function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}
