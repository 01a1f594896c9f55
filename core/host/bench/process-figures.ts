import { readFileSync } from 'node:fs';

/** What Linux tells of a process. */
export interface ProcessFigures {
  readonly parent: number;
  /** CPU time since it started, user and system. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly threads: number;
  /** Times that it gave up the CPU by itself. */
  readonly wakeUps: number;
}

/** Of CPU time for user space, whatever the kernel's own tick is (proc(5): USER_HZ). */
const CLOCK_TICK_MS = 10;

/** @returns undefined for a process that is gone, and where there is no /proc. */
export function processFigures(pid: number): ProcessFigures | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold anything, brackets too.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    const rssBytes = field('VmRSS') * 1024;
    if (!Number.isFinite(rssBytes)) return undefined; // a zombie has no memory
    return {
      parent: Number(fields[1]),
      cpuMs: (Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS,
      rssBytes,
      threads: field('Threads'),
      wakeUps: field('voluntary_ctxt_switches'),
    };
  } catch {
    return undefined;
  }
}
