import { closeSync, fstatSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { FakeClock } from '../test-support/fake-clock';
import { isJournal, ServiceManager } from './service-manager';

async function told(env: NodeJS.ProcessEnv, runMs: number): Promise<readonly string[]> {
  const clock = new FakeClock();
  const said: string[] = [];
  const manager = new ServiceManager({
    env,
    clock,
    log: () => undefined,
    send: (notification) => said.push(notification),
  });
  manager.ready();
  await clock.advance(runMs);
  manager.ending();
  await clock.advance(runMs);
  return said;
}

it('tells systemd that it is ready, alive twice in the watchdog’s time, and ending', async () => {
  const env = { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '10000000', WATCHDOG_PID: String(process.pid) };
  expect(await told(env, 11_000)).toEqual(['READY=1', 'WATCHDOG=1', 'WATCHDOG=1', 'STOPPING=1']);
});

it.each([
  ['no watchdog', { NOTIFY_SOCKET: '/run/notify' }, ['READY=1', 'STOPPING=1']],
  [
    'the watchdog of another process',
    { NOTIFY_SOCKET: '/run/notify', WATCHDOG_USEC: '1000000', WATCHDOG_PID: '1' },
    ['READY=1', 'STOPPING=1'],
  ],
  ['no systemd', { WATCHDOG_USEC: '1000000' }, []],
])('%s', async (_what, env, said) => expect(await told(env, 5_000)).toEqual(said));

it('knows the journal from a terminal that a service started', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-journal-'));
  const file = openSync(join(folder, 'out'), 'w');
  const { dev, ino } = fstatSync(file);
  expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, file)).toBe(true);
  expect(isJournal({ JOURNAL_STREAM: `${dev}:${ino + 1}` }, file)).toBe(false);
  expect(isJournal({}, file)).toBe(false);
  closeSync(file);
  rmSync(folder, { recursive: true });
});
