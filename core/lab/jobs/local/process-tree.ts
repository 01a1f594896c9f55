import {
  environmentOf,
  proportionalBytes,
  readProcess,
  readProcesses,
  residentBytes,
  type ProcessEntry,
} from './process-table';

/** The variable that every process of a job inherits. */
export const JOB_TOKEN = 'SLUICE_JOB_TOKEN';

/**
 * The processes of a job, however they went away from their parents: whoever has the job's token in the environment it
 * was started with, descends from one that is known, or is in the session of one. Only a process that empties its
 * environment, opens a session and loses its parent between two looks is missed.
 */
export class ProcessTree {
  /** Of those that were seen, by mark: their CPU time when last seen. */
  private readonly cpuMsByMark = new Map<string, number>();
  /** Looked at before and found to be others'. */
  private strangers = new Set<string>();
  private members: readonly ProcessEntry[] = [];

  /** @param rootMark the program's own process, when it is known. */
  constructor(
    private readonly token: string,
    private readonly rootMark = '',
  ) {}

  /** CPU time of all processes seen so far, also of those that have ended. */
  get cpuMs(): number {
    let sum = 0;
    for (const cpuMs of this.cpuMsByMark.values()) sum += cpuMs;
    return sum;
  }

  /**
   * Looks at all processes of the machine.
   * @param everyEnvironment also of those that were found to be others' before: they may have started a program since.
   */
  scan(everyEnvironment = false): readonly ProcessEntry[] {
    const all = readProcesses().filter(({ isZombie }) => !isZombie);
    const sessions = new Set(this.members.map(({ sessionId }) => sessionId));
    const found = new Map<number, ProcessEntry>();
    const strangers = new Set<string>();
    for (const entry of all) {
      const isKnown = entry.mark === this.rootMark || this.cpuMsByMark.has(entry.mark);
      if (isKnown || sessions.has(entry.sessionId) || this.hasToken(entry, everyEnvironment)) {
        found.set(entry.pid, entry);
      } else {
        strangers.add(entry.mark);
      }
    }
    addRelated(all, found);
    for (const { mark } of found.values()) strangers.delete(mark);
    this.strangers = strangers;
    this.members = [...found.values()];
    for (const { mark, cpuMs } of this.members) this.cpuMsByMark.set(mark, cpuMs);
    return this.members;
  }

  /** Memory of those found by the last scan, in RAM. What they share is counted once when `limitBytes` seems passed. */
  memoryBytes(limitBytes: number): number {
    const pids = this.members
      .filter(({ pid, mark }) => readProcess(pid)?.mark === mark)
      .map(({ pid }) => pid);
    const roughly = sumOf(pids, residentBytes);
    return roughly <= limitBytes ? roughly : sumOf(pids, proportionalBytes);
  }

  /** Sends a signal to every process found by a new scan. @returns how many there were. */
  signal(name: NodeJS.Signals): number {
    const members = this.scan(true);
    for (const { pid, mark } of members) {
      try {
        if (readProcess(pid)?.mark === mark) process.kill(pid, name);
      } catch {
        // It has just ended; one that may not be signalled (another user's) is found again by the next scan.
      }
    }
    return members.length;
  }

  private hasToken({ pid, mark }: ProcessEntry, everyEnvironment: boolean): boolean {
    if (!everyEnvironment && this.strangers.has(mark)) return false;
    return environmentOf(pid).includes(`${JOB_TOKEN}=${this.token}\0`);
  }
}

/** Adds descendants, and who shares a session, until there are no more. */
function addRelated(all: readonly ProcessEntry[], found: Map<number, ProcessEntry>): void {
  for (let before = -1; before !== found.size;) {
    before = found.size;
    const sessions = new Set([...found.values()].map(({ sessionId }) => sessionId));
    for (const entry of all) {
      if (found.has(entry.parentPid) || sessions.has(entry.sessionId)) found.set(entry.pid, entry);
    }
  }
}

function sumOf(pids: readonly number[], bytesOf: (pid: number) => number): number {
  return pids.reduce((sum, pid) => sum + bytesOf(pid), 0);
}
