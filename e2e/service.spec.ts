import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { chromium, expect, test } from '@playwright/test';
import { ensureDebianPackages } from '../scripts/lib/debian.mjs';
import { expectSignWasRead, readSign } from './example-sign';
import { saveScreen } from './fixtures';
import { ConsolePage } from './pages/console-page';
import { LoginPage } from './pages/login-page';
import { boxObstacle, startSystemdBox, type SystemdBox } from './systemd-box';

const ROOT = resolve(__dirname, '..');
const UNIT = 'sluice-host.service';
const STATE = '/var/lib/sluice';
const ORIGIN = 'http://127.0.0.1:8787';
/** In tenths, of `systemd-analyze security`: services that face a network reach 4. */
const MOST_EXPOSURE_TENTHS = 16;
const execute = promisify(execFile);

test.describe.configure({ mode: 'serial', timeout: 240_000 });

let box: SystemdBox;
let token = '';

test.beforeAll(async () => {
  test.setTimeout(240_000);
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    await ensureDebianPackages([{ packages: ['systemd'], for: 'the service of the package' }]);
  }
  const reason = boxObstacle() ?? process.env['SLUICE_E2E_NO_ELECTRON'];
  test.skip(reason !== undefined, reason ?? '');
  const script = join(ROOT, 'scripts', 'package-deb.mjs');
  const made = await execute(process.execPath, [script, '--compression', 'none', '--cached']);
  box = await startSystemdBox();
  box.put(made.stdout.trim(), '/srv/sluice.deb');
  await box.run('dpkg', '--install', '/srv/sluice.deb');
});

test.afterAll(async () => {
  await (box as SystemdBox | undefined)?.end();
});

test('the unit waits to be enabled, is understood, and exposes little', async () => {
  await expect(box.run('systemctl', 'is-enabled', UNIT)).rejects.toMatchObject({ stdout: 'disabled\n' });
  expect(await property('ActiveState')).toBe('inactive');
  await box.run('systemd-analyze', 'verify', UNIT);
  const security = await box.run('systemd-analyze', 'security', '--no-pager', UNIT);
  const [, exposure = ''] = /exposure level for \S+: ([\d.]+)/.exec(security) ?? [];
  console.log(`    exposure: ${exposure}`);
  expect(Number(exposure) * 10).toBeLessThanOrEqual(MOST_EXPOSURE_TENTHS);
});

test('started, it serves as a user without rights who can write its state alone', async () => {
  token = (await box.run('sluice', 'host', 'token', '--data-dir', STATE)).split('\n')[0] ?? '';
  // The unit tells systemd when it is ready: this waits for it.
  await box.run('systemctl', 'enable', '--now', UNIT);
  expect(await property('ActiveState')).toBe('active');
  expect(await statusOf('')).toBe('401');
  expect(await statusOf(token)).toBe('200');

  const uid = await box.run('id', '-u', 'sluice');
  const status = readFileSync(box.path(`/proc/${await mainPid()}/status`), 'utf8');
  expect(status).toMatch(new RegExp(`^Uid:(\\s+${uid}){4}$`, 'm'));
  expect(status).toMatch(/^CapEff:\s+0+$/m);
  expect(status).toMatch(/^CapBnd:\s+0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
  expect(status).toMatch(/^Seccomp:\s+2$/m);
  expect(await writableForIt(['/usr', '/etc', '/var/log', '/root', '/home', '/srv', STATE])).toEqual([STATE]);
});

test('a browser runs a model on it, by direct I/O within what the unit allows', async () => {
  const executablePath = process.env['SLUICE_E2E_CHROMIUM'];
  test.skip(executablePath === undefined, process.env['SLUICE_E2E_NO_CHROMIUM'] ?? 'no Chromium');
  const browser = await chromium.launch({
    executablePath: box.inItsNetwork(executablePath ?? ''),
    args: ['--no-sandbox'],
  });
  try {
    const page = await browser.newPage();
    await page.goto(ORIGIN);
    await new LoginPage(page).logIn(token);
    const ui = new ConsolePage(page);
    await readSign(ui);
    await expectSignWasRead(ui);
    await saveScreen(page, 'service-run');
  } finally {
    await browser.close();
  }
});

test('killed, or standing still, it is started again with its models and its token', async () => {
  const first = await mainPid();
  await box.run('kill', '-KILL', first);
  await isBackAfter(first);

  // Two seconds instead of two minutes.
  const settings = `/run/systemd/system/${UNIT}.d`;
  await box.run('mkdir', '-p', settings);
  await box.run('sh', '-c', `printf '[Service]\\nWatchdogSec=2\\n' >${settings}/soon.conf`);
  await box.run('systemctl', 'daemon-reload');
  await box.run('systemctl', 'restart', UNIT);
  const second = await mainPid();
  await box.run('kill', '-STOP', second);
  await isBackAfter(second);
  expect(await box.run('journalctl', '--no-pager', '-u', UNIT)).toMatch(/Watchdog timeout/);
  await box.run('rm', '-r', settings);
  await box.run('systemctl', 'daemon-reload');
});

test('a new version of the package restarts it, and keeps its state', async () => {
  const before = await mainPid();
  await box.run('dpkg', '--install', '/srv/sluice.deb');
  await isBackAfter(before);
});

test('stopped, it ends cleanly, leaves no process, and has written in its state alone', async () => {
  await box.run('systemctl', 'stop', UNIT);
  expect(await property('Result')).toBe('success');
  expect(await property('ActiveState')).toBe('inactive');
  expect(await box.run('sh', '-c', 'ps -o pid= -u sluice || true')).toBe('');
  const places = ['/dev', '/etc', '/home', '/opt', '/run', '/srv', '/tmp', '/usr', '/var'];
  const own = (await box.run('find', ...places, '-user', 'sluice')).split('\n');
  expect(own).toContain(STATE);
  expect(own.filter((path) => path !== STATE && !path.startsWith(`${STATE}/`))).toEqual([]);
  // Nor does a library keep something of its own there.
  expect(own.filter((path) => path.startsWith(`${STATE}/.`))).toEqual([]);
  expect(await box.run('stat', '-c', '%U:%G %a', STATE)).toBe('sluice:sluice 700');
  // In the journal, which other users may read, stands no token.
  expect(await box.run('journalctl', '--no-pager', '-u', UNIT)).not.toContain(token);
});

test('purging the package while it runs ends it, and leaves neither state nor user', async () => {
  await box.run('systemctl', 'start', UNIT);
  await box.run('dpkg', '--purge', 'sluice');
  await expect(box.run('systemctl', 'is-active', UNIT)).rejects.toMatchObject({ stdout: 'inactive\n' });
  await expect(box.run('id', 'sluice')).rejects.toThrow();
  await expect(box.run('ls', STATE)).rejects.toThrow();
  await expect(box.run('ls', `/etc/systemd/system/multi-user.target.wants/${UNIT}`)).rejects.toThrow();
});

function property(name: string): Promise<string> {
  return box.run('systemctl', 'show', '--value', '--property', name, UNIT);
}

function mainPid(): Promise<string> {
  return property('MainPID');
}

/** Another process answers with the same token and the same models. */
async function isBackAfter(pid: string): Promise<void> {
  await expect
    .poll(async () => [await property('ActiveState'), (await mainPid()) !== pid], { timeout: 60_000 })
    .toEqual(['active', true]);
  expect(await statusOf(token)).toBe('200');
  expect(await box.run('ls', `${STATE}/models`)).not.toBe('');
}

/** The HTTP status that the console's page is answered with. */
function statusOf(bearer: string): Promise<string> {
  const headers = bearer === '' ? {} : { authorization: `Bearer ${bearer}` };
  const script = `fetch(${JSON.stringify(`${ORIGIN}/`)}, { headers: ${JSON.stringify(headers)} })
    .then((answer) => console.log(answer.status))`;
  return box.run('env', 'ELECTRON_RUN_AS_NODE=1', '/usr/lib/sluice/sluice', '-e', script);
}

/** Which of the folders a process in the service's place can write in: its user, its view of the files. */
async function writableForIt(folders: readonly string[]): Promise<readonly string[]> {
  const uid = await box.run('id', '-u', 'sluice');
  const script = 'for at; do if touch "$at/probe" 2>/dev/null; then rm "$at/probe"; echo "$at"; fi; done';
  const asIt = ['--target', await mainPid(), '--mount', '--', 'setpriv'];
  const found = await box.run(
    'nsenter',
    ...[...asIt, '--reuid', uid, '--regid', uid, '--clear-groups', '--inh-caps=-all', '--bounding-set=-all'],
    ...['sh', '-c', script, 'sh', ...folders],
  );
  return found.split('\n');
}
