import { cpus } from 'node:os';

import { readTrimmed } from './disk-device';

/*
 * On Linux both names stand in files. systeminformation starts several processes for them, three of which it waits for
 * (`hostname --fqdn` may ask a name server): an engine that starts would answer nobody meanwhile. It is asked where
 * there are no such files.
 */

const OS_RELEASE = ['/etc/os-release', '/usr/lib/os-release'];

/** Such as "Debian GNU/Linux 12 x64". */
export async function osTitle(): Promise<string> {
  for (const file of process.platform === 'linux' ? OS_RELEASE : []) {
    const name = osReleaseName(readTrimmed(file) ?? '');
    if (name !== undefined) return `${name} ${process.arch}`;
  }
  const { osInfo } = await import('systeminformation');
  const { distro, release, arch } = await osInfo();
  return [distro, release, arch].filter(Boolean).join(' ');
}

/** `PRETTY_NAME` of os-release(5) without the code name in brackets; undefined when the text has none. */
export function osReleaseName(text: string): string | undefined {
  const quoted = /^PRETTY_NAME=(.*)$/m.exec(text)?.[1]?.trim();
  const name = quoted
    ?.replace(/^(["'])(.*)\1$/, '$2')
    .replace(/\s*\([^)]*\)\s*$/, '')
    .trim();
  return name === '' ? undefined : name;
}

/** Node knows no name on many ARM boards: there it is asked for elsewhere. */
export async function cpuTitle(): Promise<string> {
  const model = cpus()[0]?.model.trim();
  if (process.platform === 'linux' && model && model !== 'unknown') return model;
  const { cpu } = await import('systeminformation');
  const { manufacturer, brand } = await cpu();
  return [manufacturer, brand].filter(Boolean).join(' ').trim() || model || 'unknown CPU';
}
