import { readFileSync, statSync } from 'node:fs';

import { benchMachine } from '../bench/machine';
import type { BenchMachine } from '../bench/machine';

/** Where and under what a benchmark ran. */
export interface BenchEnvironment extends BenchMachine {
  readonly runtimeVersion: string;
  readonly instructionSet: string;
  readonly threads: number;
  readonly readers: number;
  /** Block device that holds the layer stores, and its model where the system tells. */
  readonly disk: string;
  /** How weights are read: past the page cache. */
  readonly cacheState: string;
}

export function benchEnvironment(
  folder: string,
  engine: { readonly runtimeVersion: string; readonly instructionSet: string; readonly threads: number },
  readers: number,
): BenchEnvironment {
  return {
    ...benchMachine(),
    runtimeVersion: engine.runtimeVersion,
    instructionSet: engine.instructionSet,
    threads: engine.threads,
    readers,
    disk: diskOf(folder),
    cacheState: 'direct I/O (O_DIRECT); page cache bypassed for all Sluice sides',
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
