import { readdirSync, readFileSync } from 'node:fs';

/** What Linux tells of a process. */
export interface ProcessFigures {
  readonly rssBytes: number;
  readonly threads: number;
  readonly descriptors: number;
}

/** @returns undefined for a process that is gone, and where there is no /proc. */
export function figuresOf(pid: number): ProcessFigures | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]);
    const rssBytes = field('VmRSS') * 1024;
    if (!Number.isFinite(rssBytes)) return undefined; // a zombie has no memory
    return { rssBytes, threads: field('Threads'), descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined;
  }
}

/** Processes whose environment has `variable`, but for this one, with their command lines. None where there is no /proc. */
export function processesWith(variable: string): readonly string[] {
  const wanted = Buffer.from(variable);
  return pids().flatMap((pid) => {
    if (pid === process.pid) return [];
    try {
      const environment = readFileSync(`/proc/${pid}/environ`);
      if (!environment.includes(wanted)) return [];
      return [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`];
    } catch {
      return []; // ended meanwhile, or another user's
    }
  });
}

function pids(): readonly number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
