import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './lib/paths.mjs';

const UNIT = readFileSync(join(ROOT, 'scripts', 'package', 'sluice-host.service'), 'utf8');
/** Of what `systemd-analyze security` calls OK: services that face a network reach 4. */
const MOST_EXPOSURE_TENTHS = 20;

const settings = UNIT.split('\n')
  .filter((line) => /^\w+=/.test(line))
  .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]);

function setting(name) {
  return settings.filter(([key]) => key === name).map(([, value]) => value);
}

it('starts the host with options that it has, as a user without rights', () => {
  const [start] = setting('ExecStart');
  const command = readFileSync(join(ROOT, 'core', 'host', 'commands', 'host.ts'), 'utf8');
  expect(start).toMatch(/^\/usr\/bin\/sluice host /);
  const example = UNIT.match(/SLUICE_HOST_OPTIONS=(.*)/)?.[1] ?? '';
  for (const [option] of `${start} ${example}`.matchAll(/--[a-z-]+/g)) {
    expect(command, option).toMatch(new RegExp(`'${option}[ ']`));
  }
  expect(setting('User')).toEqual(['sluice']);
  expect(setting('NoNewPrivileges')).toEqual(['yes']);
  expect(setting('CapabilityBoundingSet')).toEqual(['']);
  // The JavaScript compiler writes what it runs.
  expect(setting('MemoryDenyWriteExecute')).toEqual([]);
  // The notices come from a child.
  expect([setting('Type'), setting('NotifyAccess')]).toEqual([['notify'], ['all']]);
});

it('says each thing once', () => {
  // What a filter of system calls lets in, and what of that it leaves out.
  const names = settings.map(([name]) => name).filter((name) => name !== 'SystemCallFilter');
  expect(setting('SystemCallFilter')).toEqual(['@system-service', '~@privileged']);
  expect(new Set(names).size).toBe(names.length);
});

const analyze = (...args) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });

it.skipIf(analyze('--version').status !== 0)('is understood by systemd, which finds little exposed', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-unit-'));
  try {
    const path = join(folder, 'sluice-host.service');
    // Neither the program nor its manual is installed here.
    writeFileSync(path, UNIT.replace('/usr/bin/sluice', '/bin/true').replace(/^Documentation=.*$/m, ''));
    const verified = analyze('verify', path);
    expect(`${verified.stdout}${verified.stderr}`).not.toMatch(/sluice-host/);
    const security = analyze(
      'security',
      '--offline=true',
      `--threshold=${MOST_EXPOSURE_TENTHS}`,
      '--no-pager',
      path,
    );
    expect(security.status, security.stdout).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
