import { readdirSync, readFileSync } from 'node:fs';

/** One process as Linux tells it. */
export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly sessionId: number;
  /** `PID-START`, the mark of `core/storage`: pids come round again, marks do not until the machine starts anew. */
  readonly mark: string;
  /** It has ended, and waits for its parent to ask how. */
  readonly isZombie: boolean;
  /** Of all its threads, without children, since it started. */
  readonly cpuMs: number;
}

/** Linux counts in hundredths of a second towards programs, whatever the kernel's own tick. */
const MS_PER_TICK = 10;

/** All processes of this machine (of this container) now. */
export function readProcesses(): readonly ProcessEntry[] {
  const found: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const entry = readProcess(Number(name));
    if (entry) found.push(entry);
  }
  return found;
}

/** @returns undefined when there is no such process. */
export function readProcess(pid: number): ProcessEntry | undefined {
  const text = readOf(pid, 'stat')?.toString('latin1');
  if (text === undefined) return undefined;
  // The name, in brackets, may hold spaces and brackets; after it: state, parent, group, session (proc_pid_stat(5)).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    pid,
    parentPid: Number(fields[1]),
    sessionId: Number(fields[3]),
    mark: `${pid}-${fields[19]}`,
    isZombie: fields[0] === 'Z' || fields[0] === 'X',
    cpuMs: ticks * MS_PER_TICK,
  };
}

/** Whether the process of a mark runs: one that has ended but was not asked for by its parent does not. */
export function isRunning(mark: string): boolean {
  const entry = readProcess(Number.parseInt(mark, 10));
  return entry?.mark === mark && !entry.isZombie;
}

/** What a process was started with, as `NAME=value` ended by NUL each; '' where it may not be read. */
export function environmentOf(pid: number): string {
  return readOf(pid, 'environ')?.toString('latin1') ?? '';
}

/** Memory of a process that is in RAM; what it shares with others is counted in each. */
export function residentBytes(pid: number): number {
  // `statm` is shorter, but counts pages, and how large those are is not told anywhere as plainly.
  return kibibytesOf(/^VmRSS:\s+(\d+) kB/m, readOf(pid, 'status')) ?? 0;
}

/** The same, with what is shared divided among those who share it; slower. Where it can't be told, `residentBytes`. */
export function proportionalBytes(pid: number): number {
  return kibibytesOf(/^Pss:\s+(\d+) kB/m, readOf(pid, 'smaps_rollup')) ?? residentBytes(pid);
}

function kibibytesOf(line: RegExp, text: Buffer | undefined): number | undefined {
  const found = line.exec(text?.toString('latin1') ?? '');
  return found ? Number(found[1]) * 1024 : undefined;
}

/** Another for each start of the machine: marks of one say nothing about another. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function readOf(pid: number, what: string): Buffer | undefined {
  try {
    return readFileSync(`/proc/${pid}/${what}`);
  } catch {
    return undefined; // it has ended, or is another user's
  }
}
