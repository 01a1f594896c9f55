import { readdirSync, readFileSync } from 'node:fs';

import { processFigures } from '../../bench/process-figures';

/** What a process holds. */
export interface HeldFigures {
  readonly rssBytes: number;
  readonly threads: number;
  readonly descriptors: number;
}

/** @returns undefined for a process that is gone, and where there is no /proc. */
export function figuresOf(pid: number): HeldFigures | undefined {
  const figures = processFigures(pid);
  if (figures === undefined) return undefined;
  try {
    const { rssBytes, threads } = figures;
    return { rssBytes, threads, descriptors: readdirSync(`/proc/${pid}/fd`).length };
  } catch {
    return undefined; // ended meanwhile
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
