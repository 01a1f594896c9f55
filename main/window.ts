import { join } from 'node:path';

import { app, BrowserWindow, nativeTheme, screen, session } from 'electron';

import { SluiceError } from '../core/contract';
import { APP_ENTRY, APP_ORIGIN } from './app-protocol';
import { MIN_WINDOW_SIZE, readWindowState, usableBounds, writeWindowState } from './window-state';

const STATE_FILE = 'window-state.json';
const DEFAULT_SIZE = { width: 1440, height: 900 };

/** Denies what the console never needs: permissions, devices, downloads, navigation, new windows, webviews. */
export function hardenSession(): void {
  const target = session.defaultSession;
  target.setPermissionRequestHandler((_contents, permission, callback) =>
    callback(permission === 'clipboard-sanitized-write'),
  );
  target.setPermissionCheckHandler((_contents, permission) => permission === 'clipboard-sanitized-write');
  target.setDevicePermissionHandler(() => false);
  target.on('will-download', (event) => event.preventDefault());
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.on('will-navigate', (event, url) => {
      if (!url.startsWith(`${APP_ORIGIN}/`)) event.preventDefault();
    });
    contents.on('will-redirect', (event) => event.preventDefault());
    contents.on('will-frame-navigate', (event) => {
      if (!event.isMainFrame) event.preventDefault();
    });
  });
}

function rememberState(window: BrowserWindow, file: string): void {
  const save = (): void => {
    try {
      writeWindowState(file, { bounds: window.getNormalBounds(), maximized: window.isMaximized() });
    } catch (thrown) {
      // A full disk must not keep the window from closing; the old state stays.
      console.error(`${SluiceError.from(thrown, 'io').message} (window position is not remembered)`);
    }
  };
  window.on('close', save);
}

/** Creates the one window, where it was last time, and shows it once its first frame is ready. */
export function createMainWindow(): BrowserWindow {
  const stateFile = join(app.getPath('userData'), STATE_FILE);
  const state = readWindowState(stateFile);
  const bounds = usableBounds(
    state.bounds,
    screen.getAllDisplays().map((display) => display.workArea),
  );
  const window = new BrowserWindow({
    ...(bounds ?? DEFAULT_SIZE),
    minWidth: MIN_WINDOW_SIZE.width,
    minHeight: MIN_WINDOW_SIZE.height,
    show: false,
    title: 'Sluice',
    autoHideMenuBar: true,
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#17181a' : '#f6f6f7',
    webPreferences: {
      preload: join(__dirname, '../preload/index.js'),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
    },
  });
  if (state.maximized) window.maximize();
  rememberState(window, stateFile);
  window.once('ready-to-show', () => window.show());
  void window.loadURL(APP_ENTRY).catch((thrown: unknown) => {
    console.error(`The console's window could not load ${APP_ENTRY}: ${SluiceError.from(thrown).message}`);
  });
  return window;
}
