import { readdirSync, readFileSync } from 'node:fs';

import { SluiceError } from '../../contract';

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

/** Linux counts CPU time in these, whatever its own tick is (USER_HZ, proc_pid_stat(5)). */
const CLOCK_TICK_MS = 10;
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
    const parent = /^\d+$/.test(name) ? statOf(Number(name))?.parent : undefined;
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
  const stat = statOf(pid);
  const memory = read(`/proc/${pid}/smaps_rollup`);
  if (stat === undefined || memory === undefined) return [];
  const status = read(`/proc/${pid}/status`) ?? '';
  return [
    {
      pid,
      role: isRoot ? 'main' : roleOf(read(`/proc/${pid}/cmdline`) ?? ''),
      cpuMs: stat.cpuTicks * CLOCK_TICK_MS,
      pssBytes: numberOf(memory, /^Pss:\s+(\d+) kB/m) * KIB,
      rssBytes: numberOf(memory, /^Rss:\s+(\d+) kB/m) * KIB,
      wakeUps: numberOf(status, /^voluntary_ctxt_switches:\s+(\d+)/m),
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

/** The name in brackets may hold anything, brackets too. */
function statOf(pid: number): { readonly parent: number; readonly cpuTicks: number } | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { parent: Number(fields[1]), cpuTicks: Number(fields[11]) + Number(fields[12]) };
}

function numberOf(text: string, pattern: RegExp): number {
  return Number(pattern.exec(text)?.[1] ?? 0);
}

/** Undefined when the process is gone. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
