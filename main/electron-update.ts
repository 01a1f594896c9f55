import { createRequire } from 'node:module';

import type { autoUpdater as AutoUpdater } from 'electron-updater';

import { updateServer } from './update-server';
import type { Updater } from './updates';

const SILENCE_MS = 60_000;

/**
 * electron-updater on a server of files. Loaded when it is first asked for, so that a console without updates neither
 * loads nor configures it. Nothing happens by itself: no download, no installation at the end.
 */
export function loadUpdater(url: string): Updater {
  // `import` does not look into the archive before Electron 28.
  const { autoUpdater } = createRequire(__filename)('electron-updater') as {
    readonly autoUpdater: typeof AutoUpdater;
  };
  autoUpdater.setFeedURL({ provider: 'generic', url });
  autoUpdater.autoDownload = false;
  autoUpdater.autoInstallOnAppQuit = false;
  autoUpdater.allowDowngrade = false;
  autoUpdater.logger = null;
  // Its failures reach us as rejections too; without a listener the event would be thrown.
  autoUpdater.on('error', () => undefined);
  const ask = updateServer({
    session: autoUpdater.netSession,
    url,
    silenceMs: SILENCE_MS,
    schedule: (run, delayMs) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  });
  return {
    newest: () =>
      ask(async () => {
        const result = await autoUpdater.checkForUpdates();
        if (result === null) throw new Error('this installation can not update itself');
        const isNewer = result.isUpdateAvailable;
        // A server that is behind does not make its version the newest one.
        return { version: isNewer ? result.updateInfo.version : autoUpdater.currentVersion.version, isNewer };
      }),
    download: (onPercent) =>
      ask(async (heard) => {
        const tell = ({ percent }: { readonly percent: number }): void => {
          heard();
          onPercent(percent);
        };
        autoUpdater.on('download-progress', tell);
        try {
          await autoUpdater.downloadUpdate();
        } finally {
          autoUpdater.off('download-progress', tell);
        }
      }),
    install: () => autoUpdater.quitAndInstall(),
  };
}
