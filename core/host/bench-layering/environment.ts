import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type, version } from 'node:os';

/** Where and under what a benchmark ran. */
export interface BenchEnvironment {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly os: string;
  readonly node: string;
  readonly runtimeVersion: string;
  readonly instructionSet: string;
  readonly threads: number;
  readonly readers: number;
  /** Block device that holds the layer stores, and its model where the system tells. */
  readonly disk: string;
  /** How weights are read: past the page cache. */
  readonly cacheState: string;
  readonly commit: string;
  /** Load average over a minute before the bench began: other work on the machine disturbs it. */
  readonly loadAverageBefore: number;
}

export function benchEnvironment(
  folder: string,
  engine: { readonly runtimeVersion: string; readonly instructionSet: string; readonly threads: number },
  readers: number,
): BenchEnvironment {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    os: `${type()} ${release()} ${version()}`,
    node: process.version,
    runtimeVersion: engine.runtimeVersion,
    instructionSet: engine.instructionSet,
    threads: engine.threads,
    readers,
    disk: diskOf(folder),
    cacheState: 'direct I/O (O_DIRECT); page cache bypassed for all Sluice sides',
    commit: commit(),
    loadAverageBefore: loadavg()[0] ?? 0,
  };
}

function diskOf(folder: string): string {
  const { dev } = statSync(folder);
  const device = `${(dev >> 8) & 0xfff}:${(dev & 0xff) | ((dev >> 12) & 0xfff00)}`;
  try {
    const name = /DEVNAME=(.*)/.exec(readFileSync(`/sys/dev/block/${device}/uevent`, 'utf8'))?.[1] ?? device;
    return [name, diskModel(name)].filter((text) => text !== '').join(' ');
  } catch {
    // Network and overlay file systems have no block device of their own.
    return `device ${device}`;
  }
}

function diskModel(name: string): string {
  try {
    return readFileSync(`/sys/block/${name.replace(/p?\d+$/, '')}/device/model`, 'utf8').trim();
  } catch {
    return '';
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // An installed package has no repository.
    return 'unknown';
  }
}
