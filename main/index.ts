import { join } from 'node:path';

import { app, ipcMain, protocol, safeStorage } from 'electron';
import type { BrowserWindow, IpcMainInvokeEvent, MessagePortMain } from 'electron';

import { ENGINE_STATUS_CHANNEL, SHELL_REQUESTS } from '../core/contract';
import { APP_SCHEME, serveAppFile } from './app-protocol';
import { installCrashReports } from './crash-reports';
import { forkEngine } from './engine-process';
import { createEngineSupervisor } from './engine-supervisor';
import type { EngineSupervisor } from './engine-supervisor';
import { openSecretFile } from './secret-file';
import { createSecretKeeper } from './secret-keeper';
import type { SecretKeeper } from './secret-keeper';
import { createShellHandlers } from './shell-handlers';
import { answerShellRequest } from './shell-ipc';
import type { Sender, ShellHandlers } from './shell-ipc';
import { createMainWindow, hardenSession } from './window';

// Packaging sets Electron's fuses (no RunAsNode, no NODE_OPTIONS, no --inspect, ASAR integrity, cookie encryption).

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

function startSupervisor(secrets: SecretKeeper): EngineSupervisor<MessagePortMain> {
  return createEngineSupervisor<MessagePortMain>({
    fork: (events) => forkEngine(join(__dirname, 'engine.js'), events),
    keptTokens: () => secrets.kept(),
    onStatus: (status) => {
      if (current !== undefined && !current.window.isDestroyed()) {
        current.window.webContents.send(ENGINE_STATUS_CHANNEL, status);
      }
    },
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

function openConsole(supervisor: EngineSupervisor<MessagePortMain>, secrets: SecretKeeper): void {
  const window = createMainWindow();
  current = { window, handlers: createShellHandlers(window, supervisor, secrets) };
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
  app.on('second-instance', focusConsole);
  app.on('window-all-closed', () => app.quit());
  app.on('will-quit', () => supervisor.stop());
  void app.whenReady().then(() => {
    const root = join(__dirname, '../renderer');
    protocol.handle(APP_SCHEME, (request) => serveAppFile(request.url, root));
    hardenSession();
    registerIpc();
    supervisor.start();
    openConsole(supervisor, secrets);
  });
}

run();
