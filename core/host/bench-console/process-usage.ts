import { readdirSync, readFileSync } from 'node:fs';

import { SluiceError } from '../../contract';
import { processFigures } from '../bench/process-figures';

/** What a process of an application is there for, by Chromium's `--type=`. */
export type ProcessRole = 'main' | 'renderer' | 'gpu' | 'engine' | 'network' | 'other';

/** One process at one moment. */
export interface ProcessUsage {
  readonly pid: number;
  readonly role: ProcessRole;
  /** CPU time since it started, user and system. */
  readonly cpuMs: number;
  /** Its own pages and its share of those it has in common with others (proportional set size). */
  readonly pssBytes: number;
  readonly rssBytes: number;
  /** Times that it gave up the CPU by itself: a process that has nothing to do does not wake up. */
  readonly wakeUps: number;
}

const KIB = 1024;

/**
 * The process and all below it, as /proc has them.
 * @throws SluiceError `unsupported` where there is no /proc.
 */
export function processTree(root: number): readonly ProcessUsage[] {
  if (process.platform !== 'linux') {
    throw new SluiceError(
      'unsupported',
      `Memory and CPU time of each process are read from /proc, which ${process.platform} does not have.`,
    );
  }
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? processFigures(Number(name))?.parent : undefined;
    if (parent !== undefined) parents.set(Number(name), parent);
  }
  const belongs = (pid: number): boolean => {
    for (let at: number | undefined = pid; at !== undefined; at = parents.get(at))
      if (at === root) return true;
    return false;
  };
  return [...parents.keys()].filter(belongs).flatMap((pid) => usageOf(pid, pid === root));
}

/** @returns nothing for a process that has ended meanwhile. */
function usageOf(pid: number, isRoot: boolean): readonly ProcessUsage[] {
  const figures = processFigures(pid);
  const memory = read(`/proc/${pid}/smaps_rollup`);
  if (figures === undefined || memory === undefined) return [];
  const { cpuMs, rssBytes, wakeUps } = figures;
  return [
    {
      pid,
      role: isRoot ? 'main' : roleOf(read(`/proc/${pid}/cmdline`) ?? ''),
      cpuMs,
      pssBytes: Number(/^Pss:\s+(\d+) kB/m.exec(memory)?.[1] ?? 0) * KIB,
      rssBytes,
      wakeUps,
    },
  ];
}

/** Chromium's zygotes rewrite their command line with spaces in the place of the zeros. */
export function roleOf(commandLine: string): ProcessRole {
  const type = /--type=([\w-]+)/.exec(commandLine)?.[1];
  if (type === 'renderer') return 'renderer';
  if (type === 'gpu-process') return 'gpu';
  if (type !== 'utility') return 'other';
  return /--utility-sub-type=network/.test(commandLine) ? 'network' : 'engine';
}

/** Undefined when the process is gone. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
