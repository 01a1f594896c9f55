import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const V1_ROOT = '/sys/fs/cgroup/memory';
const V2_ROOT = '/sys/fs/cgroup';

/** A limit on the memory of some processes, page cache they bring in included. */
export interface MemoryCgroup {
  add(pid: number): void;
  setLimit(bytes: number): void;
  limitBytes(): number;
  /** Most memory its processes had at once, bytes. */
  peakBytes(): number;
  /** Its processes must have ended. */
  remove(): void;
}

/** @returns undefined where this user can't make memory cgroups; the reason is in `whyNot`. */
export function createMemoryCgroup(name: string, whyNot: (reason: string) => void): MemoryCgroup | undefined {
  const isV1 = existsSync(join(V1_ROOT, 'memory.limit_in_bytes'));
  const root = isV1 ? V1_ROOT : V2_ROOT;
  const folder = join(root, name);
  try {
    mkdirSync(folder);
    const files = isV1
      ? { limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes' }
      : { limit: 'memory.max', peak: 'memory.peak' };
    if (!existsSync(join(folder, files.limit))) {
      rmdirSync(folder);
      whyNot(`the memory controller is not available under ${root}`);
      return undefined;
    }
    return {
      add: (pid) => writeFileSync(join(folder, 'cgroup.procs'), String(pid)),
      setLimit: (bytes) => writeFileSync(join(folder, files.limit), String(Math.ceil(bytes))),
      limitBytes: () => Number(readFileSync(join(folder, files.limit), 'utf8')),
      peakBytes: () => Number(readFileSync(join(folder, files.peak), 'utf8')),
      remove: () => rmdirSync(folder),
    };
  } catch (error) {
    whyNot(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}

/** Forgets cached file pages, so that what a limited process maps is charged to it. @returns whether it was allowed. */
export function dropPageCache(): boolean {
  try {
    // Pages not yet written can't be dropped.
    execFileSync('sync');
    writeFileSync('/proc/sys/vm/drop_caches', '1');
    return true;
  } catch {
    return false;
  }
}
