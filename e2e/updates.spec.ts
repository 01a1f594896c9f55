import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { _electron, expect, type ElectronApplication, type Page } from '@playwright/test';
import { saveScreen, test } from './fixtures';
import { ConsolePage } from './pages/console-page';
import { brokenOff, content, latestLinux, redirect, slowly, startUpdateServer } from './update-server';

const ROOT = resolve(__dirname, '..');
const { version: OWN } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
const LIST = 'latest-linux.yml';
const FILE = 'Sluice-99.0.0.AppImage';

/** What an update is: a program that takes the old one's place and is started. This one tells that it was. */
function newProgram(marker: string): Buffer {
  const script = `#!/bin/sh\nprintf '%s %s' "$APPIMAGE_SILENT_INSTALL" "$0" >'${marker}.new' && mv '${marker}.new' '${marker}'\n`;
  return Buffer.from(`${script}exit\n${'#'.repeat(200_000)}\n`);
}

/** Sluice as an AppImage starts it, which is what electron-updater replaces. */
interface Installed {
  readonly folder: string;
  /** The AppImage's file. */
  readonly program: string;
  readonly marker: string;
  /** Where downloads wait. */
  readonly pending: string;
  readonly start: (settings?: { readonly url: string }) => Promise<ElectronApplication>;
}

/** Electron under another name takes itself for a packaged application; the rest of its folder is linked. */
function install(folder: string, electron: string, builtInUrl: string): Installed {
  const app = join(folder, 'app');
  mkdirSync(join(app, 'resources'), { recursive: true });
  const own = ['electron', 'resources'];
  for (const name of readdirSync(dirname(electron)).filter((entry) => !own.includes(entry))) {
    symlinkSync(join(dirname(electron), name), join(app, name));
  }
  const binary = join(app, 'sluice');
  try {
    linkSync(electron, binary);
  } catch {
    copyFileSync(electron, binary); // on another file system
  }
  symlinkSync(ROOT, join(app, 'resources', 'app'), 'dir');
  const builtIn = `provider: generic\nurl: ${builtInUrl}\nupdaterCacheDirName: sluice-updater\n`;
  writeFileSync(join(app, 'resources', 'app-update.yml'), builtIn);
  const program = join(folder, `Sluice-${OWN}.AppImage`);
  writeFileSync(program, '#!/bin/sh\n');
  chmodSync(program, 0o755);
  const profile = join(folder, 'profile');
  return {
    folder,
    program,
    marker: join(folder, 'started'),
    pending: join(folder, 'cache', 'sluice-updater', 'pending'),
    start: (settings) => {
      mkdirSync(profile, { recursive: true });
      if (settings !== undefined) writeFileSync(join(profile, 'updates.json'), JSON.stringify(settings));
      const env = { ...process.env, APPIMAGE: program, XDG_CACHE_HOME: join(folder, 'cache') };
      return _electron.launch({
        executablePath: binary,
        args: ['--no-sandbox', `--user-data-dir=${profile}`],
        env: { ...env, SLUICE_DATA_DIR: join(folder, 'data') },
      });
    },
  };
}

const withServer = test.extend<{
  readonly server: Awaited<ReturnType<typeof startUpdateServer>>;
  readonly elsewhere: Awaited<ReturnType<typeof startUpdateServer>>;
  readonly installed: Installed;
}>({
  server: async ({}, use) => {
    const server = await startUpdateServer();
    await use(server);
    await server.end();
  },
  elsewhere: async ({}, use) => {
    const server = await startUpdateServer();
    await use(server);
    await server.end();
  },
  installed: async ({ dataDir, server }, use, info) => {
    const electron = process.env['SLUICE_E2E_ELECTRON'];
    info.skip(electron === undefined, process.env['SLUICE_E2E_NO_ELECTRON'] ?? 'no Electron');
    info.skip(process.platform !== 'linux', 'an AppImage is of Linux');
    await use(install(dataDir, electron ?? '', server.url));
  },
});

withServer(
  'nobody is asked unless a server is named, nor before somebody checks',
  async ({ installed, server }) => {
    server.files.set(LIST, content(latestLinux('99.0.0', FILE, Buffer.from('new'))));
    const app = await installed.start();
    try {
      const page = await app.firstWindow();
      await check(page);
      await expect(notice(page)).toHaveAttribute('data-state', 'off');
      await expect(notice(page)).toContainText('Updates are off. Name a server in updates.json');
      await saveScreen(page, 'updates-off');
    } finally {
      await app.close();
    }
    expect(server.asked).toEqual([]);
    const named = await installed.start({ url: server.url });
    try {
      await new ConsolePage(await named.firstWindow()).ready();
      expect(server.asked).toEqual([]);
    } finally {
      await named.close();
    }
  },
);

withServer(
  'a newer version is found, downloaded with progress, checked, and takes the place of the old one',
  async ({ installed, server }) => {
    const program = newProgram(installed.marker);
    let isProgressSeen = false;
    server.files.set(LIST, content(latestLinux('99.0.0', FILE, program)));
    server.files.set(
      FILE,
      slowly(program, () => isProgressSeen),
    );
    const app = await installed.start({ url: server.url });
    const page = await app.firstWindow();
    await check(page);
    await expect(notice(page)).toHaveText(/Sluice 99\.0\.0 is available/);
    expect(server.asked).toEqual([LIST]);
    await notice(page).getByRole('button', { name: 'Download' }).click();
    await expect(notice(page)).toHaveText(/Downloading Sluice 99\.0\.0: [5-9]\d%/);
    await saveScreen(page, 'updates-downloading');
    isProgressSeen = true;
    await expect(notice(page)).toHaveText(/Sluice 99\.0\.0 is downloaded and checked/);
    expect(readFileSync(join(installed.pending, FILE))).toEqual(program);
    expect(existsSync(installed.marker)).toBe(false);

    const closed = app.waitForEvent('close');
    await notice(page).getByRole('button', { name: 'Restart and install' }).click();
    await closed;
    const place = join(installed.folder, FILE);
    await expect.poll(() => existsSync(installed.marker)).toBe(true);
    expect(readFileSync(installed.marker, 'utf8')).toBe(`true ${place}`);
    expect(readFileSync(place)).toEqual(program);
    expect(existsSync(installed.program)).toBe(false);
  },
);

withServer(
  'what is not a newer version of the named server, whole and unchanged, is refused',
  async ({ installed, server, elsewhere }) => {
    const program = newProgram(installed.marker);
    const list = (version: string, path = FILE): string => latestLinux(version, path, program);
    const tampered = Buffer.from(program);
    tampered.writeUInt8(0x21, program.length - 100);
    const origin = server.url.slice(0, -1);
    const away = elsewhere.url.slice(0, -1);
    const onlyNamed = `${origin} sends on to ${away}, and only the server that was named is asked`;
    for (const path of [LIST, FILE])
      elsewhere.files.set(path, content(path === LIST ? list('99.0.0') : program));

    const app = await installed.start({ url: server.url });
    try {
      const page = await app.firstWindow();
      await new ConsolePage(page).ready();
      const checks = async (answer: Parameters<typeof server.files.set>[1] | undefined): Promise<void> => {
        if (answer === undefined) server.files.delete(LIST);
        else server.files.set(LIST, answer);
        await check(page);
      };

      for (const version of ['0.0.1', OWN]) {
        await checks(content(list(version)));
        await expect(notice(page)).toContainText(`Sluice ${OWN} is the newest version.`);
      }
      await checks(undefined);
      await says(
        page,
        `The check for updates failed: ${origin} has no ${LIST} at the address that was named`,
      );
      await saveScreen(page, 'updates-failed');
      await checks(content('version: [broken'));
      await says(page, `The check for updates failed: what ${origin} says of its versions can't be read`);
      await checks(content(list('newest')));
      await says(page, `The check for updates failed: ${origin} names a version that is none`);
      await checks((_request, response) => void response.writeHead(500).end());
      await says(page, `The check for updates failed: ${origin} answers 500`);
      await checks(redirect(`${away}/${LIST}`));
      await says(page, `The check for updates failed: ${onlyNamed}`);

      const failed = 'The download of version 99.0.0 failed: ';
      const downloads: readonly (readonly [
        string,
        Parameters<typeof server.files.set>[1] | undefined,
        string,
      ])[] = [
        [list('99.0.0', `${away}/${FILE}`), undefined, onlyNamed],
        [list('99.0.0'), redirect(`${away}/${FILE}`), onlyNamed],
        [list('99.0.0'), undefined, `${origin} answers 404 for /${FILE}`],
        [list('99.0.0'), brokenOff(program), ''],
        [list('99.0.0'), content(program.subarray(1000)), `the file is not the one that ${origin} describes`],
        [
          list('99.0.0'),
          content(tampered),
          `the file is not the one that ${origin} describes (its SHA-512 differs)`,
        ],
        [list('99.0.0').replaceAll(/ *sha512: .*\n/g, ''), content(program), `${origin} gives no checksum`],
      ];
      for (const [versions, file, words] of downloads) {
        if (file === undefined) server.files.delete(FILE);
        else server.files.set(FILE, file);
        await checks(content(versions));
        await notice(page).getByRole('button', { name: 'Download' }).click();
        await says(page, failed + words);
        expect(kept(installed)).toEqual([]);
      }
      expect(elsewhere.asked).toEqual([]);

      // And after all that the right one is taken.
      server.files.set(FILE, content(program));
      await checks(content(list('99.0.0')));
      await notice(page).getByRole('button', { name: 'Download' }).click();
      await expect(notice(page)).toHaveAttribute('data-state', 'ready');
    } finally {
      await app.close();
    }
    // Nothing is installed but on request.
    expect(existsSync(installed.program)).toBe(true);
    expect(existsSync(installed.marker)).toBe(false);
  },
);

withServer(
  'a server that is away, or falls silent, is given up and can be asked again',
  async ({ installed, server }) => {
    const program = newProgram(installed.marker);
    const origin = server.url.slice(0, -1);
    const silent = `${origin} said nothing for 60 s`;
    const app = await installed.start({ url: server.url });
    try {
      const page = await app.firstWindow();
      await app.evaluate(() => {
        // The minute of patience, and nothing else, is over at once.
        const { setTimeout: real } = globalThis;
        const soon = (run: () => void, ms?: number): NodeJS.Timeout => real(run, ms === 60_000 ? 500 : ms);
        Object.assign(globalThis, { setTimeout: soon });
      });
      server.files.set(LIST, () => undefined);
      await check(page);
      await says(page, `The check for updates failed: ${silent}`);
      server.files.set(LIST, content(latestLinux('99.0.0', FILE, program)));
      server.files.set(FILE, (_request, response) => {
        response.writeHead(200, { 'content-length': program.length }).write(program.subarray(0, 1000));
      });
      await check(page);
      await notice(page).getByRole('button', { name: 'Download' }).click();
      await says(page, `The download of version 99.0.0 failed: ${silent}`);
      server.files.set(FILE, content(program));
      await notice(page).getByRole('button', { name: 'Try again' }).click();
      await notice(page).getByRole('button', { name: 'Download' }).click();
      await expect(notice(page)).toHaveAttribute('data-state', 'ready');
      await server.end();
    } finally {
      await app.close();
    }

    const again = await installed.start({ url: server.url });
    try {
      const page = await again.firstWindow();
      await check(page);
      await says(page, `${origin} can't be reached (net::ERR_CONNECTION_REFUSED)`);
    } finally {
      await again.close();
    }
  },
);

/** What was downloaded and could be installed. */
function kept({ pending }: Installed): readonly string[] {
  return existsSync(pending) ? readdirSync(pending).filter((name) => name.endsWith('.AppImage')) : [];
}

function notice(page: Page): ReturnType<Page['getByTestId']> {
  return page.getByTestId('update-notice');
}

async function says(page: Page, words: string): Promise<void> {
  await expect(notice(page)).toHaveAttribute('data-state', 'failed');
  await expect(notice(page)).toContainText(words);
}

/** As a person does it: by the palette. */
async function check(page: Page): Promise<void> {
  await new ConsolePage(page).ready();
  await page.keyboard.press('ControlOrMeta+k');
  await page.keyboard.type('Check for updates');
  await page.keyboard.press('Enter');
  await expect(notice(page)).not.toHaveAttribute('data-state', 'checking');
}
