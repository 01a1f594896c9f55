import { createRequire } from 'node:module';

import type * as Library from 'electron-updater';

import { updateServer } from './update-server';
import type { Updater } from './updates';

const SILENCE_MS = 60_000;

/**
 * electron-updater on a server of files. Loaded when it is first asked for, so that a console without updates neither
 * loads nor configures it. Nothing happens by itself: no download, no installation at the end.
 *
 * @param version the one that runs
 */
export function loadUpdater(url: string, version: string): Updater {
  // `import` does not look into the archive before Electron 28.
  const library = createRequire(__filename)('electron-updater') as typeof Library;
  let updater = configured(library, url);
  let cancellation = new library.CancellationToken();
  const ask = updateServer({
    session: updater.netSession,
    url,
    silenceMs: SILENCE_MS,
    onSilence: () => {
      cancellation.cancel();
      // A check can't be cancelled, and the old one would be waited for at each next one.
      updater = configured(library, url);
    },
    schedule: (run, delayMs) => {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  });
  return {
    newest: () =>
      ask(async () => {
        const result = await updater.checkForUpdates();
        if (result === null) throw new Error('this installation can not update itself');
        const isNewer = result.isUpdateAvailable;
        // A server that is behind does not make its version the newest one.
        return { version: isNewer ? result.updateInfo.version : version, isNewer };
      }),
    download: (onPercent) =>
      ask(async (heard) => {
        const from = updater;
        const tell = ({ percent }: { readonly percent: number }): void => {
          heard();
          onPercent(percent);
        };
        cancellation = new library.CancellationToken();
        from.on('download-progress', tell);
        try {
          await from.downloadUpdate(cancellation);
        } finally {
          from.off('download-progress', tell);
        }
      }),
    install: () => updater.quitAndInstall(),
  };
}

function configured(library: typeof Library, url: string): Library.AppUpdater {
  const updater = newUpdater(library);
  updater.setFeedURL({ provider: 'generic', url });
  updater.autoDownload = false;
  updater.autoInstallOnAppQuit = false;
  updater.allowDowngrade = false;
  updater.logger = null;
  // Its failures reach us as rejections too; without a listener the event would be thrown.
  updater.on('error', () => undefined);
  return updater;
}

function newUpdater({ AppImageUpdater, MacUpdater, NsisUpdater }: typeof Library): Library.AppUpdater {
  if (process.platform === 'win32') return new NsisUpdater();
  return process.platform === 'darwin' ? new MacUpdater() : new AppImageUpdater();
}
