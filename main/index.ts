import { join } from 'node:path';

import { app, ipcMain, protocol, safeStorage } from 'electron';
import type { BrowserWindow, IpcMainInvokeEvent, MessagePortMain } from 'electron';

import {
  ENGINE_STATUS_CHANNEL,
  FILES_OPENED_CHANNEL,
  SHELL_REQUESTS,
  UPDATE_STATE_CHANNEL,
} from '../core/contract';
import { plainFile } from './app-files';
import { APP_SCHEME, serveAppFile } from './app-protocol';
import { installCrashReports } from './crash-reports';
import { loadUpdater } from './electron-update';
import { forkEngine } from './engine-process';
import { createEngineSupervisor } from './engine-supervisor';
import type { EngineSupervisor } from './engine-supervisor';
import { createFileOpener } from './open-files';
import { openSecretFile } from './secret-file';
import { createSecretKeeper } from './secret-keeper';
import type { SecretKeeper } from './secret-keeper';
import { createShellHandlers } from './shell-handlers';
import type { ShellParts } from './shell-handlers';
import { answerShellRequest } from './shell-ipc';
import type { Sender, ShellHandlers } from './shell-ipc';
import { updateSettings } from './update-settings';
import { createUpdates } from './updates';
import type { Updates } from './updates';
import { createMainWindow, hardenSession } from './window';

// Packaging sets Electron's fuses: FUSES in electron-builder.config.mjs says which and why (docs/adr/0026-installers.md).

interface Console {
  readonly window: BrowserWindow;
  readonly handlers: ShellHandlers;
}

let current: Console | undefined;

function openSecrets(): SecretKeeper {
  return createSecretKeeper({
    cipher: safeStorage,
    file: openSecretFile(join(app.getPath('userData'), 'endpoint-tokens.json')),
    platform: process.platform,
    log: (message) => process.stderr.write(`sluice: ${message}\n`),
  });
}

/** Tells the window, if there is one. */
function tell(channel: string, payload?: unknown): void {
  if (current !== undefined && !current.window.isDestroyed()) {
    current.window.webContents.send(channel, payload);
  }
}

function startUpdates(): Updates {
  const { url = '', off } = updateSettings({
    env: process.env,
    file: join(app.getPath('userData'), 'updates.json'),
    platform: process.platform,
    isPackaged: app.isPackaged,
  });
  return createUpdates({
    off,
    load: async () => loadUpdater(url, app.getVersion()),
    onState: (state) => tell(UPDATE_STATE_CHANNEL, state),
  });
}

function startSupervisor(secrets: SecretKeeper): EngineSupervisor<MessagePortMain> {
  return createEngineSupervisor<MessagePortMain>({
    fork: (events) => forkEngine(plainFile(join(__dirname, 'engine.js')), events),
    keptTokens: () => secrets.kept(),
    onStatus: (status) => tell(ENGINE_STATUS_CHANNEL, status),
    schedule: (run, delayMs) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
    nowMs: () => performance.now(),
  });
}

function senderOf(event: IpcMainInvokeEvent, window: BrowserWindow): Sender | undefined {
  const frame = event.senderFrame;
  if (frame === null) return undefined;
  return { url: frame.url, isMainFrame: event.sender === window.webContents && frame.parent === null };
}

function registerIpc(): void {
  for (const name of SHELL_REQUESTS) {
    ipcMain.handle(name, (event, input: unknown) => {
      if (current === undefined) throw new Error(`${name}: no window is open`);
      return answerShellRequest(current.handlers, senderOf(event, current.window), name, input);
    });
  }
}

function openConsole(parts: ShellParts): void {
  const window = createMainWindow();
  current = { window, handlers: createShellHandlers(window, parts) };
  window.on('closed', () => {
    current = undefined;
  });
}

function focusConsole(): void {
  if (current === undefined) return;
  if (current.window.isMinimized()) current.window.restore();
  current.window.focus();
}

function run(): void {
  if (!app.requestSingleInstanceLock()) {
    app.quit();
    return;
  }
  installCrashReports();
  protocol.registerSchemesAsPrivileged([
    { scheme: APP_SCHEME, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ]);
  const secrets = openSecrets();
  const supervisor = startSupervisor(secrets);
  const opener = createFileOpener(() => tell(FILES_OPENED_CHANNEL));
  opener.offer(process.argv.slice(1), process.cwd());
  app.on('second-instance', (_event, args, folder) => {
    opener.offer(args.slice(1), folder);
    focusConsole();
  });
  // macOS, which may ask before the window is there.
  app.on('open-file', (event, path) => {
    event.preventDefault();
    opener.offer([path], '/');
    focusConsole();
  });
  app.on('window-all-closed', () => app.quit());
  app.on('will-quit', () => supervisor.stop());
  void app.whenReady().then(() => {
    const root = join(__dirname, '../renderer');
    protocol.handle(APP_SCHEME, (request) => serveAppFile(request.url, root));
    hardenSession();
    registerIpc();
    supervisor.start();
    openConsole({ supervisor, secrets, opener, updates: startUpdates() });
  });
}

run();
