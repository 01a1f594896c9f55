import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { chromium, expect, test } from '@playwright/test';
import { foreignFiles } from '../scripts/lib/package/contents.mjs';
import { makeStandInTools } from '../scripts/lib/package/stand-in-tools.mjs';
import { devToolsOf, end, saveScreen } from './fixtures';
import { ConsolePage } from './pages/console-page';

const ROOT = resolve(__dirname, '..');
const { version: VERSION } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
};
const execute = promisify(execFile);

test.describe.configure({ mode: 'serial', timeout: 240_000 });

let folder = '';
/** Not the folder that everybody's installers are left in: somebody may be packing there. */
let made: string;
let image: string;

test.beforeAll(async () => {
  test.setTimeout(360_000);
  const noElectron = process.env['SLUICE_E2E_NO_ELECTRON'];
  test.skip(noElectron !== undefined, noElectron ?? '');
  test.skip(process.arch !== 'x64', 'the runtime that stands in is for x64');
  folder = mkdtempSync(join(tmpdir(), 'sluice-app-image-'));
  const tools = join(folder, 'tools');
  const reason = await makeStandInTools(tools);
  test.skip(reason !== undefined, reason ?? '');
  const env = { ...process.env, APPIMAGE_TOOLS_PATH: tools };
  made = join(folder, 'installers');
  const script = join(ROOT, 'scripts', 'package.mjs');
  await execute(process.execPath, [script, '--preview', '--folder', made], { env, maxBuffer: 1 << 26 });
  image = join(made, `Sluice-${VERSION}.AppImage`);
});

test.afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

test('it comes with the list that a server of updates gives out, and for no other machine', () => {
  expect(readdirSync(made).filter((name) => name.endsWith('.AppImage'))).toEqual([
    `Sluice-${VERSION}.AppImage`,
  ]);
  const list = readFileSync(join(made, 'latest-linux.yml'), 'utf8');
  expect(list).toContain(`version: ${VERSION}\n`);
  expect(list).toContain(`sha512: ${createHash('sha512').update(readFileSync(image)).digest('base64')}\n`);
  expect(list).toMatch(new RegExp(`size: ${statSync(image).size}\n`));
  expect(list).toMatch(/blockMapSize: \d+/);
});

test('its tree has an entry for the desktop, types of files, icons, and nothing of another platform', async () => {
  const offset = Buffer.byteLength(readFileSync(join(folder, 'tools', 'runtimes', 'runtime-x64')));
  const tree = join(folder, 'tree');
  const options = ['-quiet', '-no-progress', '-dest', tree, '-offset', String(offset)];
  await execute('unsquashfs', [...options, image]);
  expect(foreignFiles(tree, { arch: 'x64' })).toEqual([]);
  const entry = join(tree, 'sluice.desktop');
  await execute('desktop-file-validate', [entry]);
  const said = readFileSync(entry, 'utf8');
  expect(said).toContain('MimeType=application/x-onnx;application/x-gguf;');
  expect(said).not.toContain('no-sandbox');
  expect(existsSync(join(tree, 'usr/share/icons/hicolor/48x48/apps/sluice.png'))).toBe(true);
  expect(readFileSync(join(tree, 'usr/share/mime/packages/sluice.xml'), 'utf8')).toContain('*.gguf');
  rmSync(tree, { recursive: true });
});

test('started, it opens the console and takes updates for something that it could have', async () => {
  const args = ['--appimage-extract-and-run', '--no-sandbox', '--remote-debugging-port=0'];
  const env = {
    ...process.env,
    SLUICE_DATA_DIR: join(folder, 'data'),
    TMPDIR: folder,
    SLUICE_UPDATE_URL: 'http://127.0.0.1:9/',
  };
  const app = spawn(image, [...args, `--user-data-dir=${join(folder, 'profile')}`], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    const browser = await chromium.connectOverCDP(await devToolsOf(app), { noDefaults: true });
    const [context] = browser.contexts();
    const page = context!.pages()[0] ?? (await context!.waitForEvent('page'));
    await new ConsolePage(page).ready();
    await page.keyboard.press('ControlOrMeta+k');
    await page.keyboard.type('Check for updates');
    await page.keyboard.press('Enter');
    // There is no server; what a package of the system says would be that it is not to be asked.
    await expect(page.getByTestId('update-notice')).toContainText("http://127.0.0.1:9 can't be reached");
    await saveScreen(page, 'app-image');
    await browser.close();
  } finally {
    await end(app, 'SIGTERM');
  }
});
