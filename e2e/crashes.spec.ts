import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect } from '@playwright/test';
import { launchElectron, saveScreen, test } from './fixtures';

interface Report {
  readonly process: string;
  readonly reason: string;
  readonly mode: number;
}

/** What the engine of a test works in. */
function dataOf(testDir: string): string {
  return join(testDir, 'data');
}

/** Reports of a test's engine and window, the oldest first. */
function reports(testDir: string): readonly Report[] {
  const folder = join(dataOf(testDir), 'crashes');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      const path = join(folder, name);
      return { ...(JSON.parse(readFileSync(path, 'utf8')) as Report), mode: statSync(path).mode & 0o777 };
    });
}

// Of Electron alone: it is the window that sees these end. Ends of a host are in core/host/host-ends.test.ts.
test('an engine and a window that crash leave a report each, for the owner alone', async ({
  dataDir,
  electronConsole: { app, ui },
}) => {
  await ui.ready();
  expect(reports(dataDir)).toEqual([]);
  // The engine has said something by then, which is not why it ended.
  for (const [at, signal] of (['SIGKILL', 'SIGABRT'] as const).entries()) {
    const pid = await app.evaluate(({ app: electron }) => {
      return electron.getAppMetrics().find(({ name }) => name === 'Sluice engine')?.pid;
    });
    process.kill(pid!, signal);
    await expect.poll(() => reports(dataDir)).toHaveLength(at + 1);
    const reason = expect.stringMatching(
      new RegExp(`^ended by ${signal}\\b.* (without saying why|and wrote)`),
    );
    expect(reports(dataDir)[at]).toMatchObject({ process: 'engine', mode: 0o600, reason });
    await ui.ready();
  }

  await app.evaluate(({ BrowserWindow }) => {
    BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer();
  });
  await expect
    .poll(() => reports(dataDir).map((report) => report.process))
    .toEqual(['engine', 'engine', 'renderer']);
});

test.describe('a data folder of a newer Sluice', () => {
  test('is told in the window, not tried again, and left as it is', async ({ dataDir }, info) => {
    info.setTimeout(60_000);
    const data = dataOf(dataDir);
    const path = join(data, 'store-version.json');
    mkdirSync(data, { recursive: true });
    const text = '{"version":99}';
    writeFileSync(path, text);
    const app = await launchElectron(dataDir, info);
    try {
      const page = await app.firstWindow({ timeout: 30_000 });
      await expect(page.getByRole('alert')).toContainText(/ended with code 78: .*has version 99/);
      await saveScreen(page, 'newer-data-folder');
      expect(readFileSync(path, 'utf8')).toBe(text);
      expect(readdirSync(data).filter((name) => name !== 'crashes')).toEqual(['store-version.json']);
      expect(reports(dataDir)).toEqual([]);
    } finally {
      await app.close();
    }
  });
});
